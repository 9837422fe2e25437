// Where decrypted content goes: to the page, which keeps it until all of it was verified, or nowhere.

import type { Output } from '../../lib/mod.ts'

/** What goes to the page at a time. */
const PIECE_BYTES = 4 << 20

/** An output that has to be told when it is over. */
export interface Keeping extends Output {
  finish(): Promise<void>
}

export function keepNothing(): Keeping {
  return { write: async () => undefined, finish: async () => undefined }
}

/** Gives a piece away, and resolves when it was taken: with its bytes, if they can be filled again. */
type Hand = (bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer> | undefined>

/** Hands pieces of 4 MiB to the page. The next piece fills meanwhile, and no third one begins. */
export function handOver(hand: Hand): Keeping {
  let spare: Uint8Array<ArrayBuffer> | undefined
  let buffer: Uint8Array<ArrayBuffer> | undefined
  let filled = 0
  let handing: Promise<void> = Promise.resolve()

  async function write(bytes: Uint8Array): Promise<void> {
    let rest = bytes
    while (rest.length > 0) {
      buffer ??= unfilled()
      const taken = rest.subarray(0, PIECE_BYTES - filled)
      buffer.set(taken, filled)
      filled += taken.length
      rest = rest.subarray(taken.length)
      if (filled === PIECE_BYTES) await handFilled()
    }
  }

  /** Buffers that were let go would stay in memory for long. */
  function unfilled(): Uint8Array<ArrayBuffer> {
    const found = spare ?? new Uint8Array(PIECE_BYTES)
    spare = undefined
    return found
  }

  /** Waits for the piece in front only. */
  async function handFilled(): Promise<void> {
    if (!buffer || filled === 0) return
    const piece = filled === PIECE_BYTES ? buffer : buffer.slice(0, filled)
    buffer = undefined
    filled = 0
    await handing
    handing = hand(piece).then((back) => {
      if (back?.length === PIECE_BYTES) spare = back
    })
    // Whoever writes or finishes next hears of the failure.
    handing.catch(() => undefined)
  }

  async function finish(): Promise<void> {
    await handFilled()
    await handing
  }

  return { write, finish }
}
