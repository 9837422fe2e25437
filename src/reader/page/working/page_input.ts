// A chosen file as the library's input. The page reads it: in WebKit a worker of a page from `file:` can read no Blob at all.

import { InputError, type Input } from '../../lib/mod.ts'

const PIECE_BYTES = 4 << 20

/** Asks the page for bytes of the file. */
export type Fetch = (start: number, end: number) => Promise<Uint8Array>

/** The bytes from `start` to `end` of the file as an input, asked for in large pieces and one piece ahead. */
export function pageInput(ask: Fetch, start: number, end: number): Input {
  const size = end - start
  // At most two: the piece that is being taken, and the one behind it.
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

  async function read(from: number, to: number): Promise<Uint8Array> {
    if (to - from > PIECE_BYTES) return bytesOf(from, to)
    if (from === to) return new Uint8Array()
    const [first, last] = [Math.floor(from / PIECE_BYTES), Math.floor((to - 1) / PIECE_BYTES)]
    for (const number of pieces.keys()) if (number < first || number > first + 1) pieces.delete(number)
    const here = await piece(first)
    if ((first + 1) * PIECE_BYTES < size) void piece(first + 1)
    const base = first * PIECE_BYTES
    if (last === first) return here.slice(from - base, to - base)
    const behind = await piece(last)
    return joined(here.subarray(from - base), behind.subarray(0, to - last * PIECE_BYTES))
  }

  return { size, read }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
