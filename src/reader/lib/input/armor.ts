// Armor, taken off line by line: a fault in it is met when bytes of that line, or behind it, are needed.

import { decodeGroups, fromBase64 } from '../base64.ts'
import { byte, concat, equal, utf8 } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'
import type { FileSource, Source } from './source.ts'

export const BEGIN = utf8('-----BEGIN ENCL/1-----')
const END = utf8('-----END ENCL/1-----')
const COLUMNS = 64
const LINE_BYTES = 48
/** A line and its line end; one byte more is one column too many. */
const LINE_MOST = COLUMNS + 2
/** Decoded at a time at most. */
const DECODED_BYTES = 1 << 16
const LF = 0x0a
const CR = 0x0d
const HYPHEN = 0x2d
const BLANKS = [0x20, 0x09, CR, LF]

function mangled(why: string): EnvelopeError {
  return new EnvelopeError('mangled', `the armor: ${why}`)
}

/** What is inside of armor. Its source stands behind the word BEGIN of the first line. */
export class ArmorSource implements Source {
  private readonly source: FileSource
  private endsInCrLf: boolean | undefined
  private isBegun = false
  private isShort = false
  private isEnded = false
  private ready: Uint8Array = new Uint8Array(0)
  /** What a line said that is not needed yet. */
  private fault: unknown

  constructor(source: FileSource) {
    this.source = source
  }

  async some(most: number): Promise<Uint8Array> {
    if (this.ready.length === 0) await this.decode(most)
    const taken = this.ready.subarray(0, most)
    this.ready = this.ready.subarray(taken.length)
    return taken
  }

  /** Decodes lines till there are `most` bytes or enough for now, and at least one line if there is one. */
  private async decode(most: number): Promise<void> {
    const pieces: Uint8Array[] = []
    let bytes = 0
    while (bytes < Math.min(most, DECODED_BYTES) && !this.isEnded && this.fault === undefined) {
      try {
        const whole = await this.wholeLines(Math.min(most, DECODED_BYTES))
        const piece = whole.length > 0 ? whole : await this.next()
        pieces.push(piece)
        bytes += piece.length
      } catch (error) {
        this.fault = error
      }
    }
    this.ready = concat(...pieces)
    if (bytes === 0 && this.fault !== undefined) throw this.fault
  }

  /** Full lines that are ahead, up to the first that is another one. The same as `next` for each, only faster. */
  private async wholeLines(most: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.ceil(most / LINE_BYTES) * LINE_BYTES)
    if (!this.isBegun || this.isShort) return bytes.subarray(0, 0)
    const lineEnd = this.endsInCrLf ? [CR, LF] : [LF]
    const step = COLUMNS + lineEnd.length
    const ahead = await this.source.ahead(LINE_MOST)
    let count = 0
    for (let at = 0; at + step <= ahead.length && count < bytes.length; at += step, count += LINE_BYTES) {
      const isFull = lineEnd.every((one, behind) => ahead[at + COLUMNS + behind] === one)
      if (!isFull || !decodeGroups(ahead, at, bytes.subarray(count, count + LINE_BYTES))) break
    }
    this.source.skip((count / LINE_BYTES) * step)
    return bytes.subarray(0, count)
  }

  /** The bytes of the next line; none at the end. */
  private async next(): Promise<Uint8Array> {
    if (!this.isBegun) {
      if ((await this.line()).length > 0) throw mangled('text behind BEGIN')
      this.isBegun = true
    }
    const line = await this.line()
    if (equal(line, END)) {
      this.isEnded = true
      await this.expectBlanks()
      return new Uint8Array(0)
    }
    if (this.isShort || line.length === 0 || byte(line, 0) === HYPHEN) throw mangled('a line that may not stand here')
    const decoded = fromBase64(line)
    if (decoded === undefined) throw mangled('a line that is not base64')
    this.isShort = decoded.length < LINE_BYTES
    return decoded
  }

  private async expectBlanks(): Promise<void> {
    for (;;) {
      const behind = await this.source.some(COLUMNS * 1024)
      if (behind.length === 0) return
      if (!behind.every(one => BLANKS.includes(one))) throw mangled('text behind END')
    }
  }

  /** One line without its line end, which has to be as the first one was. */
  private async line(): Promise<Uint8Array> {
    const ahead = await this.source.ahead(LINE_MOST + 1)
    const end = ahead.subarray(0, LINE_MOST + 1).indexOf(LF)
    if (end < 0) return this.unendedLine(ahead)
    this.source.skip(end + 1)
    const isCrLf = end > 0 && byte(ahead, end - 1) === CR
    this.endsInCrLf ??= isCrLf
    if (this.endsInCrLf !== isCrLf) throw mangled('mixed line ends')
    const line = ahead.subarray(0, isCrLf ? end - 1 : end)
    if (line.length > COLUMNS) throw mangled('more than 64 columns')
    return line
  }

  private unendedLine(ahead: Uint8Array): Uint8Array {
    if (ahead.length > LINE_MOST) throw mangled('more than 64 columns')
    this.source.end()
    if (!equal(ahead, END)) throw new EnvelopeError('truncated', 'the armor has no END line')
    this.source.skip(ahead.length)
    return ahead
  }
}
