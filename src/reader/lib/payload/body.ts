// The plaintext M of a payload in one pass: private line, content, padding, signature. Steps 8 to 11 of reading.

import { concat } from '../bytes.ts'
import { EnvelopeError, malformed } from '../error.ts'
import { textOf } from '../json/scan.ts'
import type { Output } from '../input/input.ts'
import type { Chunk } from './chunks.ts'
import type { Policy } from '../envelope/policy_line.ts'
import { PRIVATE_BYTES_MAX, type PrivateLine, parsePrivate } from '../envelope/private_line.ts'
import { RootHasher } from './digest.ts'
import { PaddingFilter, paddingZeros } from './padding.ts'

const SIGNATURE_BYTES = 64
const LF = 0x0a
/** Zeros that were kept back are released in pieces of this size. */
const ZEROS = new Uint8Array(1 << 16)
const MARKER = new Uint8Array([0x80])

export class Body {
  private readonly policy: Policy
  private readonly output: Output
  private readonly signatureBytes: number
  private readonly padding: PaddingFilter | undefined
  private readonly root = new RootHasher()
  /** The last pieces of M, which may be the signature. */
  private held: Chunk[] = []
  private plaintextBytes = 0
  private line: Uint8Array[] = []
  private lineBytes = 0
  private found: PrivateLine | undefined
  /** Bytes of content that were written. */
  bytes = 0

  constructor(policy: Policy, output: Output) {
    this.policy = policy
    this.output = output
    this.signatureBytes = policy.signed ? SIGNATURE_BYTES : 0
    this.padding = policy.padding === 'padme' ? new PaddingFilter() : undefined
  }

  /** Takes all chunks. When they end in a fault, what is certain is written before it is thrown. */
  async read(chunks: AsyncIterable<Chunk>): Promise<PrivateLine> {
    try {
      for await (const chunk of chunks) await this.take(chunk)
    } catch (fault) {
      if (fault instanceof EnvelopeError && this.found !== undefined) await this.releaseHeld()
      throw fault
    }
    await this.releaseHeld()
    return this.end()
  }

  /** What the signature covers behind P, and the signature itself. */
  signed(): { bytes: number; root: Uint8Array; signature: Uint8Array } {
    return { bytes: this.root.bytes, root: this.root.digest(), signature: concat(...this.held.map(piece => piece.plain)) }
  }

  private async take(chunk: Chunk): Promise<void> {
    this.plaintextBytes += chunk.plain.length
    this.held.push(chunk)
    // The private line is judged before the next chunk. Later whole chunks are kept back, so that their hashes can be used.
    if (this.found === undefined) await this.releaseHeld()
    else await this.releaseWhole()
  }

  private heldBytes(): number {
    return this.held.reduce((sum, piece) => sum + piece.plain.length, 0)
  }

  /** Releases the pieces into which the signature cannot reach. */
  private async releaseWhole(): Promise<void> {
    let bytes = this.heldBytes()
    for (;;) {
      const first = this.held[0]
      if (first === undefined || bytes - first.plain.length < this.signatureBytes) return
      this.held.shift()
      bytes -= first.plain.length
      await this.unpad(first)
    }
  }

  /** Releases all but the last bytes, as many as the signature has. */
  private async releaseHeld(): Promise<void> {
    await this.releaseWhole()
    const surplus = this.heldBytes() - this.signatureBytes
    if (surplus <= 0) return
    const all = concat(...this.held.map(piece => piece.plain))
    this.held = [{ plain: all.subarray(surplus), hash: undefined }]
    await this.unpad({ plain: all.subarray(0, surplus), hash: undefined })
  }

  private async unpad(piece: Chunk): Promise<void> {
    if (this.padding === undefined) return this.certain(piece)
    const { zeros, bytes } = this.padding.push(piece.plain)
    if (zeros !== undefined) await this.keptZeros(zeros)
    const isWhole = bytes.length === piece.plain.length
    return this.certain({ plain: bytes, hash: isWhole ? piece.hash : undefined })
  }

  /** A marker and zeros that turned out to be content. */
  private async keptZeros(zeros: number): Promise<void> {
    await this.certain({ plain: MARKER, hash: undefined })
    for (let left = zeros; left > 0; left -= ZEROS.length) {
      await this.certain({ plain: ZEROS.slice(0, left), hash: undefined })
    }
  }

  /** Bytes of D. */
  private async certain(piece: Chunk): Promise<void> {
    this.hash(piece)
    if (this.found !== undefined) return this.write(piece.plain)
    const end = piece.plain.indexOf(LF)
    const part = end < 0 ? piece.plain : piece.plain.subarray(0, end)
    this.lineBytes += part.length
    if (this.lineBytes > PRIVATE_BYTES_MAX) throw new EnvelopeError('over-limit', 'the private line')
    this.line.push(part)
    if (end < 0) return
    this.found = parsePrivate(textOf(concat(...this.line)), this.policy)
    await this.write(piece.plain.subarray(end + 1))
  }

  private hash(piece: Chunk): void {
    if (!this.policy.signed) this.root.bytes += piece.plain.length
    else if (piece.hash !== undefined && this.root.isAtBlock()) this.root.enter(piece.hash)
    else this.root.update(piece.plain)
  }

  private async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return
    this.bytes += bytes.length
    await this.output.write(bytes)
  }

  /** Step 11, and what is left of step 10. */
  private end(): PrivateLine {
    if (this.plaintextBytes < this.signatureBytes) throw new EnvelopeError('damaged', 'shorter than its signature')
    if (this.padding !== undefined && this.padding.zeros !== paddingZeros(this.root.bytes, this.signatureBytes)) {
      throw new EnvelopeError('damaged', 'the padding is not the one that is due')
    }
    if (this.found === undefined) throw malformed('no private line')
    return this.found
  }
}
