// The two KEMs of FORMAT.md, "Slots for keys", and HPKE in mode base over them.

import { x25519 } from '@noble/curves/ed25519.js'
import { sha3_256, shake256 } from '@noble/hashes/sha3.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'

import { concat, fromHex, hex, label, u16, utf8, wipe } from '../bytes.ts'
import { decrypt, decryptionKey } from './aes.ts'
import { expand, extract, sha } from './hash.ts'

export type KemName = 'x25519' | 'x-wing'

interface Kem {
  readonly number: number
  readonly publicBytes: number
  readonly encBytes: number
}

export const KEMS: { readonly [Name in KemName]: Kem } = {
  x25519: { number: 0x0020, publicBytes: 32, encBytes: 32 },
  'x-wing': { number: 0x647a, publicBytes: 1216, encBytes: 1120 },
}

const X_BYTES = 32
const EMPTY = new Uint8Array(0)
const X_WING_LABEL = fromHex('5c2e2f2f5e5c')

/** The X25519 result; `undefined` when it is all zeros. noble throws then, and for nothing else with two times 32 bytes. */
export function x25519Shared(secret: Uint8Array, point: Uint8Array): Uint8Array | undefined {
  try {
    return x25519.getSharedSecret(secret, point)
  } catch {
    return undefined
  }
}

/** The two private keys that are made of the seed of X-Wing. */
function xWingHalves(seed: Uint8Array) {
  const expanded = shake256(seed, { dkLen: 96 })
  const halves = { mlkem: ml_kem768.keygen(expanded.subarray(0, 64)), x: expanded.slice(64) }
  wipe(expanded)
  return halves
}

/** The public key of the seed of X-Wing. */
export function xWingPublic(seed: Uint8Array): Uint8Array {
  const { mlkem, x } = xWingHalves(seed)
  const key = concat(mlkem.publicKey, x25519.getPublicKey(x))
  wipe(mlkem.secretKey, x)
  return key
}

/** A private key of the reader's. */
export class PrivateKey {
  /** The id of its public half, in hexadecimal. */
  readonly id: string
  readonly encBytes: number
  private readonly number: number
  private readonly x: Uint8Array
  private readonly xPublic: Uint8Array
  private readonly mlkemSecret: Uint8Array | undefined

  constructor(kem: KemName, secret: Uint8Array) {
    const { number, encBytes } = KEMS[kem]
    this.number = number
    this.encBytes = encBytes
    let mlkemPublic: Uint8Array = EMPTY
    if (kem === 'x-wing') {
      const halves = xWingHalves(secret)
      this.mlkemSecret = halves.mlkem.secretKey
      mlkemPublic = halves.mlkem.publicKey
      this.x = halves.x
    } else {
      this.x = secret
    }
    this.xPublic = x25519.getPublicKey(this.x)
    this.id = keyId(kem, concat(mlkemPublic, this.xPublic))
  }

  /** HPKE OpenBase; `undefined` when it does not open. */
  async open(enc: Uint8Array, info: Uint8Array, ct: Uint8Array): Promise<Uint8Array | undefined> {
    const shared = this.sharedSecret(enc)
    if (shared === undefined) return undefined
    // RFC 9180 §5.1
    const suite = concat(utf8('HPKE'), u16(this.number), u16(1), u16(2))
    const context = concat(
      new Uint8Array(1),
      labeledExtract(suite, EMPTY, 'psk_id_hash', EMPTY),
      labeledExtract(suite, EMPTY, 'info_hash', info),
    )
    const secret = labeledExtract(suite, shared, 'secret', EMPTY)
    const key = labeledExpand(suite, secret, 'key', context, 32)
    const nonce = labeledExpand(suite, secret, 'base_nonce', context, 12)
    const aes = await decryptionKey(key)
    wipe(shared, secret, key)
    return decrypt(aes, nonce, ct)
  }

  private sharedSecret(enc: Uint8Array): Uint8Array | undefined {
    if (enc.length !== this.encBytes) return undefined
    const ephemeral = enc.subarray(enc.length - X_BYTES)
    const dh = x25519Shared(this.x, ephemeral)
    if (dh === undefined) return undefined
    if (this.mlkemSecret !== undefined) {
      const mlkem = ml_kem768.decapsulate(enc.subarray(0, enc.length - X_BYTES), this.mlkemSecret)
      return sha3_256(concat(mlkem, dh, ephemeral, this.xPublic, X_WING_LABEL))
    }
    // RFC 9180 §4.1
    const suite = concat(utf8('KEM'), u16(this.number))
    const prk = labeledExtract(suite, EMPTY, 'eae_prk', dh)
    return labeledExpand(suite, prk, 'shared_secret', concat(enc, this.xPublic), 32)
  }
}

/** The id of a public key, in hexadecimal. */
export function keyId(kem: KemName, publicKey: Uint8Array): string {
  return hex(sha(label('encl/1 key'), u16(KEMS[kem].number), publicKey))
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, name: string, input: Uint8Array): Uint8Array {
  return extract(salt, concat(utf8('HPKE-v1'), suite, utf8(name), input))
}

function labeledExpand(suite: Uint8Array, key: Uint8Array, name: string, info: Uint8Array, size: number): Uint8Array {
  return expand(key, concat(u16(size), utf8('HPKE-v1'), suite, utf8(name), info), size)
}
