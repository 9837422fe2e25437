// Ed25519, verified strictly: FORMAT.md, "Signature".

import { ed25519 } from '@noble/curves/ed25519.js'

import { byte, concat, label } from '../bytes.ts'
import { sha512 } from './hash.ts'

type Point = InstanceType<typeof ed25519.Point>

/** What is signed, each with a label of its own. */
type Purpose = 'signature' | 'grant' | 'card' | 'succession' | 'revocation' | 'group' | 'gate card'

/** Whether `signature` is that of `key` over the parts of the message under the label of its purpose. */
export function verifies(key: Uint8Array, purpose: Purpose, message: Uint8Array, signature: Uint8Array): boolean {
  return verifiesBare(key, concat(label(`encl/1 ${purpose}`), message), signature)
}

/**
 * The same without a label. By hand, since noble's `verify` checks the equation times the cofactor: a key with a part of small order
 * would pass there.
 */
export function verifiesBare(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  const bytesOfR = signature.subarray(0, 32)
  const a = pointOf(key)
  const r = pointOf(bytesOfR)
  const s = littleEndian(signature.subarray(32))
  const order = ed25519.Point.Fn.ORDER
  if (a === undefined || r === undefined || s >= order) return false
  const h = littleEndian(sha512(concat(bytesOfR, key, message))) % order
  // R + hA = SB
  const left = r.add(a.multiplyUnsafe(h))
  return left.equals(ed25519.Point.BASE.multiplyUnsafe(s))
}

/** Whether signatures by this key are looked at: canonical, on the curve, not of small order. */
export function isAcceptable(key: Uint8Array): boolean {
  return pointOf(key) !== undefined
}

/** The public key of a seed. */
export function publicOf(seed: Uint8Array): Uint8Array {
  return ed25519.getPublicKey(seed)
}

/** Without `zip215` only canonical encodings are taken; points of mixed order stay. */
function pointOf(bytes: Uint8Array): Point | undefined {
  let point: Point
  try {
    point = ed25519.Point.fromBytes(bytes)
  } catch {
    return undefined
  }
  return point.isSmallOrder() ? undefined : point
}

function littleEndian(bytes: Uint8Array): bigint {
  let number = 0n
  for (let at = bytes.length - 1; at >= 0; at--) number = number * 256n + BigInt(byte(bytes, at))
  return number
}
