// What an envelope says of itself before it is opened. None of it is verified.

import { hex } from '../bytes.ts'
import { KEMS } from '../crypto/kem.ts'
import type { Input } from '../input/input.ts'
import { FileSource } from '../input/source.ts'
import type { Slot } from './access_line.ts'
import { type Manifest, readManifest } from './manifest.ts'
import type { Lock } from './policy_line.ts'

/** What lines 2 and 3 say. Call it "not verified" wherever it is shown. Ids and keys are hexadecimal. */
export interface Claim {
  /** P, which binds everything to this envelope. */
  readonly id: string
  readonly armored: boolean
  readonly signed: boolean
  readonly private: boolean
  readonly padding: 'none' | 'padme'
  /** The root key that is named as the signer's; absent when not signed, or private. */
  readonly signer?: string
  readonly created?: string
  readonly notBefore?: string
  readonly expires?: string
  readonly labels: readonly (readonly [string, string])[]
  readonly locks: readonly ClaimedLock[]
  /** The cost of the passphrase that opens one of the locks; the memory is 2^cost KiB. */
  readonly passphraseCost?: number
  /** Whether a passphrase alone opens the whole envelope. */
  readonly passphraseSuffices: boolean
  /** Whether some key could open something: there are slots for keys, or a person is a gate. */
  readonly keyPossible: boolean
  /** The kinds of slots for keys, by their length: all that a private envelope shows. */
  readonly slots: { readonly x25519: number; readonly xwing: number }
  /** Bytes of the input, armor included. */
  readonly bytes: number
  /** The content has at most so many bytes. */
  readonly contentBytesMax: number
}

export interface ClaimedLock {
  readonly kind: 'recipients' | 'gate'
  /** How many have to come together, and of how many; 1 of n where any one opens. */
  readonly need: number
  readonly of: number
  /** Empty when private, and for a passphrase alone. */
  readonly recipients: readonly ClaimedRecipient[]
  readonly gates: readonly ClaimedGate[]
  readonly passphraseCost?: number
}

export interface ClaimedRecipient {
  readonly name: string
  readonly address?: string
  readonly id: string
  readonly key: string
}

export interface ClaimedGate {
  readonly kind: 'server' | 'person'
  readonly name?: string
  readonly url?: string
  readonly id: string
}

/** Reads lines 1 to 4 and judges their form (steps 1 to 3). Throws `EnvelopeError`, `InputError`. */
export async function look(input: Input): Promise<Claim> {
  const manifest = await readManifest(new FileSource(input))
  const { policy, slots } = manifest
  const keySlots = slots.filter(slot => slot.kind === 'key')
  const cost = policy.locks.find(lock => lock.passphrase !== undefined)?.passphrase
  const x25519 = keySlots.filter(slot => slot.enc.length === KEMS.x25519.encBytes).length
  return {
    id: hex(manifest.id),
    armored: manifest.isArmored,
    signed: policy.signed,
    private: policy.private,
    padding: policy.padding,
    ...(policy.signer !== undefined && { signer: policy.signer }),
    ...(policy.created !== undefined && { created: policy.created }),
    ...(policy.not_before !== undefined && { notBefore: policy.not_before }),
    ...(policy.expires !== undefined && { expires: policy.expires }),
    labels: policy.labels ?? [],
    locks: policy.locks.map((lock, at) => claimedLock(lock, at, slots)),
    ...(cost !== undefined && { passphraseCost: cost }),
    passphraseSuffices: policy.locks.every(lock => lock.passphrase !== undefined),
    keyPossible: keySlots.length > 0 || policy.locks.some(lock => lock.gates?.some(gate => gate.kind === 'person')),
    slots: { x25519, xwing: keySlots.length - x25519 },
    bytes: input.size,
    contentBytesMax: contentBytesMax(manifest, input.size),
  }
}

function claimedLock(lock: Lock, at: number, slots: readonly Slot[]): ClaimedLock {
  const people = lock.recipients ?? []
  const keySlots = slots.filter(slot => slot.kind === 'key' && slot.lock === at)
  const gates = (lock.gates ?? []).map(({ kind, name, url, id }) => ({
    kind,
    id,
    ...(name !== undefined && { name }),
    ...(url !== undefined && { url }),
  }))
  const anyOf = lock.kind === 'gate' ? gates.length : lock.recipients?.length ?? keySlots.length
  return {
    kind: lock.kind,
    need: lock.need,
    of: lock.shares?.length ?? anyOf,
    recipients: people,
    gates,
    ...(lock.passphrase !== undefined && { passphraseCost: lock.passphrase }),
  }
}

/** All that is behind line 4, in armor three quarters of it. */
function contentBytesMax(manifest: Manifest, size: number): number {
  const bytes = manifest.isArmored ? Math.ceil(size * 0.75) : size
  return Math.max(0, bytes - manifest.bytes)
}
