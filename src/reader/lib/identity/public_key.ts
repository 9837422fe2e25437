// A KEM key on a card, and the checks that a good one passes.

import { byte, hex } from '../bytes.ts'
import { KEMS, type KemName, x25519Shared } from '../crypto/kem.ts'
import { EnvelopeError } from '../error.ts'
import { listOf, members, type Table } from '../json/members.ts'
import { base64, number, time, word } from '../json/values.ts'

export const SERIAL_MAX = 4_294_967_295

/** What keys have on cards and in identity files. */
export interface KeyFacts {
  kem: KemName
  serial: number
  created: string
  expires?: string
}

export const KEY_FACTS: Table<KeyFacts> = {
  kem: word('x25519', 'x-wing'),
  serial: number(1, SERIAL_MAX),
  created: time,
  expires: time,
}

export interface PublicKey extends KeyFacts {
  key: Uint8Array
}

const PUBLIC_KEY: Table<PublicKey> = { ...KEY_FACTS, key: base64(KEMS.x25519.publicBytes, KEMS['x-wing'].publicBytes) }

export const publicKeys = listOf(16, one => members(one, PUBLIC_KEY, ['kem', 'key', 'serial', 'created']))

/** Any private key: whether the result is all zeros depends on the other key alone. */
const ANY_SECRET = new Uint8Array(32).fill(1)
const X_BYTES = 32
/** FIPS 203: q, and the bytes of the seed rho behind the coefficients. */
const MODULUS = 3329
const RHO_BYTES = 32

/** Refuses a bad key as `key`. */
export function checkPublicKey({ kem, key }: PublicKey): void {
  if (key.length !== KEMS[kem].publicBytes) throw new EnvelopeError('key', `${hex(key.subarray(0, 4))}: its length`)
  const x = key.subarray(key.length - X_BYTES)
  if (x25519Shared(ANY_SECRET, x) === undefined) throw new EnvelopeError('key', 'X25519 of low order')
  if (kem === 'x-wing' && !isReduced(key.subarray(0, key.length - X_BYTES - RHO_BYTES))) {
    throw new EnvelopeError('key', 'its ML-KEM half is not reduced')
  }
}

/** The modulus check of FIPS 203 §7.2: each coefficient of 12 bits is below q. */
function isReduced(coefficients: Uint8Array): boolean {
  for (let at = 0; at + 3 <= coefficients.length; at += 3) {
    const [a, b, c] = [byte(coefficients, at), byte(coefficients, at + 1), byte(coefficients, at + 2)]
    if ((a | ((b & 15) << 8)) >= MODULUS || ((b >> 4) | (c << 4)) >= MODULUS) return false
  }
  return true
}
