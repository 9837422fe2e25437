// Content that is kept in the page until it is saved.

/**
 * Every 32 MiB become a Blob, and these one Blob at the end: one that is made at once of 512 MiB has the right size in Chromium,
 * and cannot be read.
 */
const PART_BYTES = 32 << 20

export class Kept {
  #parts: Blob[] = []
  /** Filled anew for each part: a Blob has a copy of its bytes, and what is let go stays in memory for long. */
  #open: Uint8Array<ArrayBuffer> | undefined
  #filled = 0

  /** Copies a piece; its buffer can be used again. */
  add(piece: Uint8Array): void {
    for (let rest = piece; rest.length > 0; ) {
      this.#open ??= new Uint8Array(PART_BYTES)
      const taken = rest.subarray(0, PART_BYTES - this.#filled)
      this.#open.set(taken, this.#filled)
      this.#filled += taken.length
      rest = rest.subarray(taken.length)
      if (this.#filled === PART_BYTES) this.#close()
    }
  }

  #close(): void {
    if (this.#open && this.#filled > 0) this.#parts.push(new Blob([this.#open.subarray(0, this.#filled)]))
    this.#filled = 0
  }

  /** All of it. Its type is that of everything: nothing that a browser shows instead of saving it. */
  blob(): Blob {
    this.#close()
    this.#open = undefined
    return new Blob(this.#parts, { type: 'application/octet-stream' })
  }
}
