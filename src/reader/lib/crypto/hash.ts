// SHA-2, HMAC and HKDF under the names of FORMAT.md.

import { expand as hkdfExpand, extract as hkdfExtract } from '@noble/hashes/hkdf.js'
import { hmac as hashMac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

import { concat } from '../bytes.ts'

/** SHA-256 of the parts, one behind the other. */
export function sha(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create()
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** SHA-256 of bytes that come bit by bit. */
export function hasher() {
  return sha256.create()
}

export function hmac(key: Uint8Array, data: Uint8Array): Uint8Array {
  return hashMac(sha256, key, data)
}

export function extract(salt: Uint8Array, input: Uint8Array): Uint8Array {
  return hkdfExtract(sha256, input, salt)
}

export function expand(key: Uint8Array, info: Uint8Array, size = 32): Uint8Array {
  return hkdfExpand(sha256, key, info, size)
}

/** HKDF-Expand with SHA-512. noble insists on 64 bytes of key; zeros behind 32 make the same key of HMAC. */
export function expand512(key: Uint8Array, info: Uint8Array, size: number): Uint8Array {
  return hkdfExpand(sha512, concat(key, new Uint8Array(64 - key.length)), info, size)
}

export { sha512 }
