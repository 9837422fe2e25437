// A chosen file as the library's input. The page reads it: in WebKit a worker of a page from `file:` can read no Blob at all.

import { concat } from '../../lib/bytes.ts'
import { InputError, type Input } from '../../lib/mod.ts'

const PIECE_BYTES = 4 << 20
/** Pieces that are asked for before they are needed: the page is busy while it takes content. */
const AHEAD = 2

/** Asks the page for bytes of the file. */
type AskPage = (start: number, end: number) => Promise<Uint8Array>

/** The bytes from `start` to `end` of the file as an input, asked for in large pieces and two of them ahead. What is read shares their bytes. */
export function pageInput(ask: AskPage, start: number, end: number): Input {
  const size = end - start
  const count = Math.ceil(size / PIECE_BYTES)
  // At most the piece that is being taken and those ahead of it.
  const pieces = new Map<number, Promise<Uint8Array>>()

  function piece(number: number): Promise<Uint8Array> {
    const known = pieces.get(number)
    if (known) return known
    const from = number * PIECE_BYTES
    const loaded = bytesOf(from, Math.min(from + PIECE_BYTES, size))
    // Whoever takes it hears of the failure; a piece that nobody takes has none.
    loaded.catch(() => undefined)
    pieces.set(number, loaded)
    return loaded
  }

  async function bytesOf(from: number, to: number): Promise<Uint8Array> {
    const bytes = await ask(start + from, start + to)
    // A file of a cloud, or one that was shortened meanwhile.
    if (bytes.length !== to - from) throw new InputError('the file is shorter than it was')
    return bytes
  }

  /** Asks for this piece and those ahead, and lets go of all others. */
  function turnTo(first: number): void {
    for (const number of pieces.keys()) if (number < first || number > first + AHEAD) pieces.delete(number)
    for (let number = first; number <= first + AHEAD && number < count; number++) void piece(number)
  }

  async function read(from: number, to: number): Promise<Uint8Array> {
    if (to - from > PIECE_BYTES) return bytesOf(from, to)
    if (from === to) return new Uint8Array()
    const [first, last] = [Math.floor(from / PIECE_BYTES), Math.floor((to - 1) / PIECE_BYTES)]
    turnTo(first)
    const here = await piece(first)
    const base = first * PIECE_BYTES
    if (last === first) return here.subarray(from - base, to - base)
    const behind = await piece(last)
    return concat(here.subarray(from - base), behind.subarray(0, to - last * PIECE_BYTES))
  }

  return { size, read }
}
