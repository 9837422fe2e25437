// Content that is kept in the page until it is saved.

/**
 * Every 32 MiB become a Blob, and these one Blob at the end: one that is made at once of 512 MiB has the right size in Chromium,
 * and cannot be read.
 */
const PART_BYTES = 32 << 20

export class Kept {
  #parts: Blob[] = []
  #open: Uint8Array<ArrayBuffer>[] = []
  #openBytes = 0

  add(piece: Uint8Array<ArrayBuffer>): void {
    this.#open.push(piece)
    this.#openBytes += piece.length
    if (this.#openBytes >= PART_BYTES) this.#close()
  }

  #close(): void {
    this.#parts.push(new Blob(this.#open))
    this.#open = []
    this.#openBytes = 0
  }

  /** All of it. Its type is that of everything: nothing that a browser shows instead of saving it. */
  blob(): Blob {
    this.#close()
    return new Blob(this.#parts, { type: 'application/octet-stream' })
  }
}
