// A new identity: keys, card and revocation, as the file that `encl key export` writes and `encl key import` takes.

import { ed25519 } from '@noble/curves/ed25519.js'

import { toBase64 } from '../base64.ts'
import { concat, fingerprintOf, hex, label, utf8, wipe } from '../bytes.ts'
import { xWingPublic } from '../crypto/kem.ts'
import type { Argon2 } from '../crypto/passphrase.ts'
import { publicOf } from '../crypto/signing.ts'
import { CARD_PREFIX, readCard } from '../identity/card.ts'
import { carrySigned } from '../identity/carrier.ts'
import { random, sealToPassphrase } from './seal.ts'

const KEM = 'x-wing'

export interface NewIdentity {
  /** The root key in hexadecimal. */
  readonly id: string
  readonly fingerprint: string
  /** The text of the file. Its private keys are sealed to the passphrase. */
  readonly file: string
}

/** What a person says of themselves. `created` is a time of the format. */
export interface Person {
  readonly name: string
  readonly address: string
  readonly created: string
}

/** Throws `EnvelopeError` when name or address are none of a card. */
export async function makeIdentity(person: Person, passphrase: string, argon2?: Argon2): Promise<NewIdentity> {
  const [seed, secret] = [random(32), random(32)]
  const id = publicOf(seed)
  const card = carrySigned(CARD_PREFIX, ...signed(seed, 'card', cardLine(person, id, secret)))
  // The same judgement as that of whoever gets it.
  readCard(utf8(card))
  const ending = JSON.stringify({ revocation: 'encl/1', id: toBase64(id), created: person.created })
  const revocation = carrySigned('encl-revocation1:', ...signed(seed, 'revocation', ending))
  const line = utf8(identityLine(seed, secret, id, person.created))
  const sealed = await sealToPassphrase(line, passphrase, argon2)
  wipe(seed, secret, line)
  const file = `encl-identity-export1\ncard ${card}\nrevocation ${revocation}\nsecret ${toBase64(sealed)}\n`
  return { id: hex(id), fingerprint: fingerprintOf(hex(id)), file }
}

function signed(seed: Uint8Array, purpose: 'card' | 'revocation', line: string): [string, Uint8Array] {
  return [line, ed25519.sign(concat(label(`encl/1 ${purpose}`), utf8(line)), seed)]
}

function cardLine({ name, address, created }: Person, id: Uint8Array, secret: Uint8Array): string {
  const key = { kem: KEM, key: toBase64(xWingPublic(secret)), serial: 1, created }
  return JSON.stringify({ card: 'encl/1', id: toBase64(id), name, addresses: [address], serial: 1, created, keys: [key] })
}

function identityLine(seed: Uint8Array, secret: Uint8Array, id: Uint8Array, created: string): string {
  const key = { kem: KEM, secret: toBase64(secret), serial: 1, created }
  return `${JSON.stringify({ identity: 'encl/1', id: toBase64(id), seed: toBase64(seed), keys: [key] })}\n`
}
