// The number that two people compare to know that each has the other's key: what `encl contact verify` shows.

import { utf8 } from '../bytes.ts'
import { type Argon2, argon2Of } from '../crypto/passphrase.ts'

/** Sixteen bytes, the salt of this use of Argon2id and of no other. */
const SALT = utf8('encl/1 compare\0\0')
const COST = 16
const DIGITS = 60

/** Twelve groups of five digits, six in a line, of two root keys in hexadecimal. Their order does not count. */
export async function safetyNumber(one: string, other: string, argon2?: Argon2): Promise<string> {
  const pair = [one, other].sort().join('')
  const hash = await argon2Of(argon2)(utf8(pair), SALT, COST)
  const number = hash.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n) % 10n ** BigInt(DIGITS)
  const groups = number.toString().padStart(DIGITS, '0').match(/.{5}/g) ?? []
  return `${groups.slice(0, 6).join(' ')}\n${groups.slice(6).join(' ')}`
}
