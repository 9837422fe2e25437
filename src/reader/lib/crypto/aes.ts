// AES-256-GCM and SHA-256 by the engine. noble would do 6 MB/s, so there is no silent way round it.

import { EngineError } from '../error.ts'

/** WebCrypto; outside a secure context it is not there. */
export function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle
  if (found === undefined) throw new EngineError('crypto', 'WebCrypto is off: this is not a secure context')
  return found
}

// WebCrypto takes no shared memory, which none of ours is.
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}

/** A key that only decrypts. */
export async function decryptionKey(key: Uint8Array): Promise<CryptoKey> {
  return subtle().importKey('raw', owned(key), 'AES-GCM', false, ['decrypt'])
}

/** The plaintext; `undefined` when the tag is wrong. `sealed` has 16 bytes at least. */
export async function decrypt(key: CryptoKey, nonce: Uint8Array, sealed: Uint8Array): Promise<Uint8Array | undefined> {
  const { crypto } = globalThis
  try {
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: owned(nonce), tagLength: 128 }, key, owned(sealed))
    return new Uint8Array(plain)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'OperationError') return undefined
    throw error
  }
}

export async function digest(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle().digest('SHA-256', owned(bytes)))
}
