// Chunked encryption (c2sp.org/chunked-encryption@v1): chunks are decrypted several at a time, and judged in order.

import { concat, equal, label } from '../bytes.ts'
import { decrypt, decryptionKey, digest } from '../crypto/aes.ts'
import { expand512 } from '../crypto/hash.ts'
import { EnvelopeError } from '../error.ts'
import { fromBytes } from '../input/input.ts'
import { FileSource, Reading } from '../input/source.ts'

export const CHUNK_BYTES = 16_384
const TAG_BYTES = 16
const SALT_BYTES = 24
const HEAD_BYTES = SALT_BYTES + 32
const CHUNKS_MAX = 2 ** 32
const NONCE_BYTES = 12

export interface Chunk {
  readonly plain: Uint8Array
  /** SHA-256 of a chunk that is full, if it was asked for. */
  readonly hash: Uint8Array | undefined
}

/** Whether the hash of each full chunk is computed as well. */
export type Hashes = 'with-hashes' | 'without-hashes'

/** The chunks of a message. The first one that is wrong ends it, after those in front of it. */
export async function* chunks(
  reading: Reading,
  inputKey: Uint8Array,
  context: Uint8Array,
  hashes: Hashes,
  inFlight: number,
): AsyncGenerator<Chunk, void> {
  const head = await reading.read(HEAD_BYTES)
  if (head.length < HEAD_BYTES) throw new EnvelopeError('truncated', 'in the head of the payload')
  const secrets = messageSecrets(inputKey, head.subarray(0, SALT_BYTES), context)
  if (!equal(secrets.commitment, head.subarray(SALT_BYTES))) throw new EnvelopeError('damaged', 'the commitment of the payload')
  const key = await decryptionKey(secrets.key)
  const running: Promise<Outcome>[] = []
  let index = 0
  let isRead = false
  for (;;) {
    while (!isRead && running.length < inFlight) {
      const sealed = await readChunk(reading)
      isRead = !(sealed instanceof Uint8Array) || sealed.length < CHUNK_BYTES + TAG_BYTES
      running.push(openChunk(sealed, key, secrets.nonce, index, hashes))
      index++
    }
    const next = running.shift()
    if (next === undefined) return
    const outcome = await next
    if ('fault' in outcome) throw outcome.fault
    yield outcome
  }
}

/** What a message is encrypted with, and the commitment to it that stands behind its salt. */
export function messageSecrets(inputKey: Uint8Array, salt: Uint8Array, context: Uint8Array) {
  const info = concat(label('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM'), salt, context)
  const secrets = expand512(inputKey, info, 76)
  return { key: secrets.slice(0, 32), nonce: secrets.slice(32, 44), commitment: secrets.slice(44) }
}

/** Never rejected, since those behind a fault are not waited for. */
type Outcome = Chunk | { readonly fault: unknown }

/** A fault of the input belongs to the chunk that needs the bytes. */
async function readChunk(reading: Reading): Promise<Uint8Array | { fault: unknown }> {
  try {
    return await reading.read(CHUNK_BYTES + TAG_BYTES)
  } catch (fault) {
    return { fault }
  }
}

async function openChunk(
  sealed: Uint8Array | { fault: unknown },
  key: CryptoKey,
  nonce: Uint8Array,
  index: number,
  hashes: Hashes,
): Promise<Outcome> {
  if (!(sealed instanceof Uint8Array)) return sealed
  try {
    if (sealed.length < TAG_BYTES) throw new EnvelopeError('truncated', `in chunk ${index}`)
    if (index >= CHUNKS_MAX) throw new EnvelopeError('over-limit', 'more than 2^32 chunks')
    const plain = await decrypt(key, chunkNonce(nonce, index), sealed)
    if (plain === undefined) throw new EnvelopeError('damaged', `chunk ${index}`)
    const isFull = plain.length === CHUNK_BYTES
    return { plain, hash: isFull && hashes === 'with-hashes' ? await digest(plain) : undefined }
  } catch (fault) {
    return { fault }
  }
}

/** nonce XOR index, the index as 12 bytes. By plain arithmetic: numbers with bits end at 2^31. */
export function chunkNonce(nonce: Uint8Array, index: number): Uint8Array {
  const own = nonce.slice()
  let left = index
  for (let at = NONCE_BYTES - 1; left > 0; at--) {
    own[at] = (own[at] as number) ^ (left % 256)
    left = Math.floor(left / 256)
  }
  return own
}

/** A small message as a whole; `undefined` when it does not open. */
export async function openMessage(message: Uint8Array, inputKey: Uint8Array, context: Uint8Array): Promise<Uint8Array | undefined> {
  const reading = new Reading(new FileSource(fromBytes(message)))
  const plain: Uint8Array[] = []
  try {
    for await (const chunk of chunks(reading, inputKey, context, 'without-hashes', 1)) plain.push(chunk.plain)
  } catch (error) {
    if (error instanceof EnvelopeError) return undefined
    throw error
  }
  return concat(...plain)
}
