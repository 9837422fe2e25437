// Where decrypted content goes until all of it was verified.

import type { Output } from '../../lib/mod.ts'

/**
 * Every 32 MiB become a Blob, and these one Blob at the end: one that is made at once of 512 MiB has the right size in Chromium,
 * and cannot be read.
 */
const PART_BYTES = 32 << 20
/** What goes to the page at a time when it writes a file itself. */
const PIECE_BYTES = 4 << 20

/** Collects bytes in one buffer of fixed size and gives it away whenever it is full. */
class Filling {
  readonly #give: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>
  readonly #size: number
  #buffer: Uint8Array<ArrayBuffer> | undefined
  #filled = 0

  constructor(size: number, give: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>) {
    this.#size = size
    this.#give = give
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes
    while (rest.length > 0) {
      this.#buffer ??= new Uint8Array(this.#size)
      const taken = rest.subarray(0, this.#size - this.#filled)
      this.#buffer.set(taken, this.#filled)
      this.#filled += taken.length
      rest = rest.subarray(taken.length)
      if (this.#filled === this.#size) await this.flush()
    }
  }

  async flush(): Promise<void> {
    if (!this.#buffer || this.#filled === 0) return
    const full = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    this.#buffer = undefined
    await this.#give(full)
  }
}

/** An output that can be ended, and gives a Blob if it keeps one. */
export interface Keeping extends Output {
  finish(): Promise<Blob | undefined>
}

export function keepNothing(): Keeping {
  return { write: async () => undefined, finish: async () => undefined }
}

export function keepBlob(): Keeping {
  const parts: Blob[] = []
  const filling = new Filling(PART_BYTES, async (bytes) => {
    parts.push(new Blob([bytes]))
  })
  return {
    write: (bytes) => filling.write(bytes),
    finish: async () => {
      await filling.flush()
      // The type of everything: nothing that a browser shows instead of saving it.
      return new Blob(parts, { type: 'application/octet-stream' })
    },
  }
}

/** Hands pieces to the page; `hand` resolves when it has stored one. */
export function handOver(hand: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>): Keeping {
  const filling = new Filling(PIECE_BYTES, hand)
  return {
    write: (bytes) => filling.write(bytes),
    finish: async () => {
      await filling.flush()
      return undefined
    },
  }
}
