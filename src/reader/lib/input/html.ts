// The armor inside an `.encl.html`, by its exact bytes: the page, one tag, the armor, the closing tag, and nothing behind it.

import { startsWith, utf8 } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'
import { BEGIN } from './armor.ts'

const OPENING = utf8('<script type="text/plain" id="envelope">\n')
const CLOSING = utf8('</script>\n')
const END = utf8('-----END ENCL/1-----\n')
const LESS = 0x3c
const CR = 0x0d

/** Where the armor stands in the file. What stands before `page` is the page, which may be one that encl never made. */
export interface Armor {
  readonly page: number
  readonly start: number
  readonly end: number
}

/** The armor of a page that `wrap --html` made. Throws `EnvelopeError`: `not-an-envelope` when something is otherwise. */
export function findArmor(file: Uint8Array): Armor {
  const page = find(file, OPENING, 0)
  if (page < 0) throw otherwise('it has no envelope')
  if (find(file, OPENING, page + 1) >= 0) throw otherwise('it has two envelopes')
  const start = page + OPENING.length
  const end = file.length - CLOSING.length
  const armor = file.subarray(start, Math.max(start, end))
  if (!startsWith(file.subarray(Math.max(end, start)), CLOSING)) throw otherwise('something stands behind the envelope')
  const isExact = startsWith(armor, BEGIN) && startsWith(armor.subarray(-END.length), END)
  if (!isExact || armor.includes(CR) || armor.includes(LESS)) throw otherwise('the envelope in it is not as it was written')
  return { page, start, end }
}

function otherwise(why: string): EnvelopeError {
  return new EnvelopeError('not-an-envelope', `the page: ${why}`)
}

/** The first place of `part`, which begins with `<`, from `from` on. */
function find(file: Uint8Array, part: Uint8Array, from: number): number {
  for (let at = file.indexOf(LESS, from); at >= 0; at = file.indexOf(LESS, at + 1)) {
    if (startsWith(file.subarray(at, at + part.length), part)) return at
  }
  return -1
}
