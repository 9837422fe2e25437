// What an envelope says of itself before it is opened. None of it is verified.

import type { Input } from './input.ts'

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
  /** Whether some key could open something: there are slots for keys. */
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
export function look(_input: Input): Promise<Claim> {
  throw new Error('not there yet')
}
