// The armor inside an `.encl.html` (FORMAT.md, "In a page"), by its exact bytes: the page, one tag, the armor, the closing tag, and
// nothing behind it.

import { startsWith, utf8 } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'

const DOCTYPE = utf8('<!doctype html>')
const PAGE_BYTES_MAX = 1 << 20
const TAG = utf8('<script type="text/plain" id="envelope">')
const CLOSING = utf8('</script>\n')
const END = utf8('-----END ENCL/1-----\n')
const HYPHEN = 0x2d
const LESS = 0x3c
const CR = 0x0d
const LF = 0x0a

/** Where the armor stands in the file. */
export interface Armor {
  /** The bytes of the page in front, which may be one that encl never made. */
  readonly page: number
  readonly start: number
  readonly end: number
  /** What is wrong behind the armor. The reader of the armor meets it there, after all faults in front of it. */
  readonly fault?: EnvelopeError
}

/** The armor of a page that `wrap --html` made. Throws `EnvelopeError`: `not-an-envelope`, or `truncated` where the file ends early. */
export function findArmor(file: Uint8Array): Armor {
  const page = startsWith(file, DOCTYPE) ? find(file, TAG) : -1
  if (page < 0 || page > PAGE_BYTES_MAX) throw otherwise('a page without an envelope')
  const lineEnd = page + TAG.length
  if (lineEnd < file.length && file[lineEnd] !== LF) throw otherwise('something else stands behind the tag of the page')
  const start = lineEnd + 1
  if (start >= file.length) throw endsEarly()
  if (file[start] !== HYPHEN) throw otherwise('something else than armor stands behind the tag of the page')
  // Armor has either line end; here it stands as a writer makes it, so a CR is not of it.
  const ends = [LESS, CR].map(one => file.indexOf(one, start)).filter(found => found >= 0)
  const end = Math.min(...ends, file.length)
  const fault = faultBehind(file.subarray(start, end), file.subarray(end))
  return { page, start, end, ...(fault && { fault }) }
}

function faultBehind(armor: Uint8Array, behind: Uint8Array): EnvelopeError | undefined {
  if (behind.length === 0) return endsEarly()
  if (!startsWith(armor.subarray(-END.length), END) || !startsWith(CLOSING, behind)) return otherwise('something stands behind the armor')
  return behind.length < CLOSING.length ? endsEarly() : undefined
}

function otherwise(why: string): EnvelopeError {
  return new EnvelopeError('not-an-envelope', why)
}

function endsEarly(): EnvelopeError {
  return new EnvelopeError('truncated', 'the page that carries the envelope has no end')
}

/** The first place of `part`, which begins with `<`. */
function find(file: Uint8Array, part: Uint8Array): number {
  for (let at = file.indexOf(LESS); at >= 0; at = file.indexOf(LESS, at + 1)) {
    if (startsWith(file.subarray(at, at + part.length), part)) return at
  }
  return -1
}
