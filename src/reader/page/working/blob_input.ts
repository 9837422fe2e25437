// A chosen file as the library's input, read in large pieces and one piece ahead.

import { InputError, type Input } from '../../lib/mod.ts'

const PIECE_BYTES = 4 << 20

/** A file that is not loaded as a whole. */
export function blobInput(file: Blob): Input {
  // At most two: the piece that is being taken, and the one behind it.
  const pieces = new Map<number, Promise<Uint8Array>>()

  function piece(number: number): Promise<Uint8Array> {
    const known = pieces.get(number)
    if (known) return known
    const start = number * PIECE_BYTES
    const loaded = bytesOf(file, start, Math.min(start + PIECE_BYTES, file.size))
    // Whoever takes it hears of the failure; a piece that nobody takes has none.
    loaded.catch(() => undefined)
    pieces.set(number, loaded)
    return loaded
  }

  async function read(start: number, end: number): Promise<Uint8Array> {
    if (end - start > PIECE_BYTES) return bytesOf(file, start, end)
    if (start === end) return new Uint8Array()
    const [first, last] = [Math.floor(start / PIECE_BYTES), Math.floor((end - 1) / PIECE_BYTES)]
    for (const number of pieces.keys()) if (number < first || number > first + 1) pieces.delete(number)
    const here = await piece(first)
    if ((first + 1) * PIECE_BYTES < file.size) void piece(first + 1)
    const base = first * PIECE_BYTES
    if (last === first) return here.slice(start - base, end - base)
    const behind = await piece(last)
    return joined(here.subarray(start - base), behind.subarray(0, end - last * PIECE_BYTES))
  }

  return { size: file.size, read }
}

async function bytesOf(file: Blob, start: number, end: number): Promise<Uint8Array> {
  const bytes = await file.slice(start, end).arrayBuffer().catch((error: unknown) => {
    throw new InputError(`the file cannot be read: ${String(error)}`)
  })
  // A file of a cloud, or one that was shortened meanwhile.
  if (bytes.byteLength !== end - start) throw new InputError('the file is shorter than it was')
  return new Uint8Array(bytes)
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
