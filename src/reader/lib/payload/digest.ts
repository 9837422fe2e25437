// root(D): the hash of the hashes of blocks of 16,384 bytes, which is what a signature covers.

import { hasher } from '../crypto/hash.ts'
import { CHUNK_BYTES } from './chunks.ts'

export class RootHasher {
  private readonly root = hasher()
  private block = hasher()
  private blockBytes = 0
  /** |D| so far. */
  bytes = 0

  /** Whether the next byte begins a block. */
  isAtBlock(): boolean {
    return this.blockBytes === 0
  }

  /** Takes a whole block by its hash. */
  enter(hash: Uint8Array): void {
    this.root.update(hash)
    this.bytes += CHUNK_BYTES
  }

  update(data: Uint8Array): void {
    this.bytes += data.length
    let left = data
    while (left.length > 0) {
      const part = left.subarray(0, CHUNK_BYTES - this.blockBytes)
      this.block.update(part)
      this.blockBytes += part.length
      left = left.subarray(part.length)
      if (this.blockBytes === CHUNK_BYTES) this.endBlock()
    }
  }

  digest(): Uint8Array {
    if (this.blockBytes > 0) this.endBlock()
    return this.root.digest()
  }

  private endBlock(): void {
    this.root.update(this.block.digest())
    this.block = hasher()
    this.blockBytes = 0
  }
}
