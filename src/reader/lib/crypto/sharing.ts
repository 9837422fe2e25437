// Shamir's scheme over GF(2^8), without tables indexed by secrets.

import { byte } from '../bytes.ts'

/** The secret that belongs to shares with different x: Lagrange interpolation at 0. */
export function joinShares(shares: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const secret = new Uint8Array(32)
  for (const [x, y] of shares) {
    let factor = 1
    for (const other of shares.keys()) {
      if (other !== x) factor = multiply(factor, multiply(other, inverse(other ^ x)))
    }
    for (let at = 0; at < secret.length; at++) secret[at] = byte(secret, at) ^ multiply(factor, byte(y, at))
  }
  return secret
}

/** The polynomial 0x11B, that of AES. */
function multiply(a: number, b: number): number {
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    product ^= a & -((b >> bit) & 1)
    a = (a << 1) ^ (0x11b & -(a >> 7))
  }
  return product
}

/** a^254. */
function inverse(a: number): number {
  let result = 1
  for (let round = 0; round < 254; round++) result = multiply(result, a)
  return result
}
