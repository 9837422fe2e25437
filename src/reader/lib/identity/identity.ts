// Private keys: the plain line, the envelope at rest, and what `encl key export` writes.

import type { Card } from './card.ts'

/** An identity that can open envelopes. Its secrets are in `keys`. */
export interface Identity {
  /** The root key in hexadecimal. */
  readonly id: string
  /** `id` in 16 groups of four. */
  readonly fingerprint: string
  /** Of an export only. */
  readonly card?: Card
  /** Of an export only: its owner ended it. It still opens. */
  readonly ended: boolean
}

/** Throws `EnvelopeError`: `locked` when it asks for a passphrase, `passphrase` for a wrong one, `not-an-identity` for another file. */
export function readIdentity(_text: Uint8Array, _passphrase?: string): Promise<Identity> {
  throw new Error('not there yet')
}
