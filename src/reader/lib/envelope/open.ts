// Opening an envelope, in the order of FORMAT.md, "Reading": the first failure wins.

import type { Approval } from '../identity/approval.ts'
import type { Card } from '../identity/card.ts'
import type { Identity } from '../identity/identity.ts'
import type { Input, Output } from './input.ts'

/** What the reader has. `identities` stand in order of preference, `approvals` in the order in which they were given. */
export interface Keys {
  readonly identities: readonly Identity[]
  readonly approvals: readonly Approval[]
  /** Only to put a name to the signer. */
  readonly cards: readonly Card[]
  readonly passphrase?: string
}

export interface Options {
  /** The time in UTC: `YYYY-MM-DDThh:mm:ssZ`. */
  readonly now: string
  /** Bytes of the input that were read, and all of them. */
  progress?(done: number, total: number): void
  /** Chunks that are decrypted at a time: 8. */
  readonly inFlight?: number
  /** `plain`: Argon2 without WebAssembly, slow. Without it: WebAssembly where the engine has it. */
  readonly argon2?: 'wasm' | 'plain'
}

/** How the reader got in; see FORMAT.md, "Grants and admission". */
export type Admission = 'named' | 'granted' | 'unrecorded'

/** What is certain once all was read. */
export interface Opened {
  /** Bytes of content. */
  readonly bytes: number
  /** The name as its author wrote it: advice, and not clean. */
  readonly name?: string
  readonly type?: string
  readonly subject?: string
  readonly modified?: string
  /** `mail` is one whole message; `mail-part` is one part of a message, with its header. */
  readonly kind: 'file' | 'mail' | 'mail-part'
  /** Absent when the envelope is not signed. `card` is there when one of `cards` has this root key. */
  readonly signer?: { readonly id: string; readonly fingerprint: string; readonly card?: Card }
  /** The passphrase, if it opened a lock; else approvals or several shares (`quorum`); else a key. */
  readonly openedWith: 'key' | 'passphrase' | 'quorum'
  readonly admission: Admission
  readonly private: boolean
  readonly created?: string
  readonly notBefore?: string
  readonly expires?: string
  readonly labels: readonly (readonly [string, string])[]
  /** Approvals that were of no use here, by their position: of another envelope, of no lock, or for another key. */
  readonly ignoredApprovals: readonly number[]
}

/**
 * Opens it and writes the content to `output`, which is not to be shown or kept before this resolves.
 * Throws `EnvelopeError`, `InputError`, `EngineError`, and what `output` throws.
 */
export function open(_input: Input, _keys: Keys, _output: Output, _options: Options): Promise<Opened> {
  throw new Error('not there yet')
}
