// The bytes of an input in order, read in blocks and never as a whole.

import { EnvelopeError, InputError } from '../error.ts'
import { concat } from '../bytes.ts'
import type { Input } from './input.ts'

/** Read at once: one call of a browser for a file costs far more than the bytes. 64 chunks. */
const BLOCK_BYTES = 64 * 16_400
const LF = 0x0a
const CR = 0x0d

/** Gives between 1 and `most` bytes, and none at the end. */
export interface Source {
  some(most: number): Promise<Uint8Array>
}

/** A file. Its next bytes can be looked at before they are taken. */
export class FileSource implements Source {
  private readonly input: Input
  private readonly onRead: (done: number) => void
  private block: Uint8Array = new Uint8Array(0)
  private at = 0
  private next = 0

  constructor(input: Input, onRead: (done: number) => void = () => undefined) {
    this.input = input
    this.onRead = onRead
  }

  /** The bytes that come next: `least` of them or more, fewer only at the end. */
  async ahead(least: number): Promise<Uint8Array> {
    while (this.block.length - this.at < least && this.next < this.input.size) await this.readBlock()
    return this.block.subarray(this.at)
  }

  /** Takes bytes that were looked at. */
  skip(count: number): void {
    this.at += count
  }

  async some(most: number): Promise<Uint8Array> {
    const found = (await this.ahead(1)).subarray(0, most)
    if (found.length === 0) this.end()
    this.skip(found.length)
    return found
  }

  /** Where bytes are needed behind the last one: throws what is met there. */
  end(): void {
    if (this.input.fault) throw this.input.fault
  }

  private async readBlock(): Promise<void> {
    const end = Math.min(this.next + BLOCK_BYTES, this.input.size)
    const read = await this.input.read(this.next, end)
    if (read.length !== end - this.next) throw new InputError('the file is shorter than it was')
    this.block = this.at === this.block.length ? read : concat(this.block.subarray(this.at), read)
    this.at = 0
    this.next = end
    this.onRead(end)
  }
}

/** A source whose bytes come in the sizes that are asked for, or as lines. */
export class Reading {
  private readonly source: Source
  private pending: Uint8Array = new Uint8Array(0)

  constructor(source: Source) {
    this.source = source
  }

  /** `size` bytes; fewer only at the end. */
  async read(size: number): Promise<Uint8Array> {
    const first = await this.some(size)
    if (first.length === size || first.length === 0) return first
    const pieces = [first]
    let left = size - first.length
    while (left > 0) {
      const piece = await this.some(left)
      if (piece.length === 0) break
      pieces.push(piece)
      left -= piece.length
    }
    return concat(...pieces)
  }

  /** Step 2: up to the line feed, which is taken and left out. `over` is the class of a line over its limit. */
  async line(bytesMax: number, over: 'over-limit' | 'malformed'): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let room = bytesMax + 1
    while (room > 0) {
      const piece = await this.some(room)
      if (piece.length === 0) throw new EnvelopeError('truncated', 'a line without its end')
      const end = piece.indexOf(LF)
      if (end >= 0) {
        pieces.push(piece.subarray(0, end))
        this.giveBack(piece.subarray(end + 1))
        return withoutCr(concat(...pieces))
      }
      pieces.push(piece)
      room -= piece.length
    }
    throw new EnvelopeError(over, `a line of more than ${bytesMax} bytes`)
  }

  private giveBack(bytes: Uint8Array): void {
    this.pending = this.pending.length === 0 ? bytes : concat(bytes, this.pending)
  }

  private async some(most: number): Promise<Uint8Array> {
    if (this.pending.length === 0) return this.source.some(most)
    const taken = this.pending.subarray(0, most)
    this.pending = this.pending.subarray(taken.length)
    return taken
  }
}

function withoutCr(line: Uint8Array): Uint8Array {
  if (line.includes(CR)) throw new EnvelopeError('mangled', 'a CR in a line')
  return line
}
