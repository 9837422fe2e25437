// What ends a reading: the classes of FORMAT.md, and the few faults that are the page's own.

/** The classes of FORMAT.md; those of cards; and what only this page has to say. */
export type Kind =
  | 'truncated' | 'mangled' | 'not-an-envelope' | 'malformed' | 'over-limit' | 'newer' | 'no-key' | 'quorum' | 'slot'
  | 'passphrase' | 'header' | 'refused' | 'damaged' | 'signature'
  // Cards, approvals and identity files.
  | 'not-a-card' | 'not-an-approval' | 'not-an-identity' | 'key'
  // No classes of the format: a passphrase is needed and was not given; only a server could open the last lock.
  | 'locked' | 'gate'

/** Facts for a message. All of it is as the envelope says. */
export interface Detail {
  /** `quorum`: how many shares there were, how many are due, and in which lock (from 0). */
  readonly have?: number
  readonly need?: number
  readonly lock?: number
  /** `quorum`, `no-key`, `gate`: who could help. */
  readonly people?: readonly { readonly name: string; readonly address?: string }[]
  /** `refused`: the bound that does not hold, as a time. */
  readonly notBefore?: string
  readonly expires?: string
  /** `locked`, and what the engine lacks: the cost of the passphrase, the memory is 2^cost KiB. */
  readonly cost?: number
}

/** The first failure of a reading. `why` is English and for developers; people get a sentence by `kind`. */
export class EnvelopeError extends Error {
  override readonly name = 'EnvelopeError'
  readonly kind: Kind
  readonly why: string
  readonly detail: Detail | undefined

  constructor(kind: Kind, why: string, detail?: Detail) {
    super(`${kind}: ${why}`)
    this.kind = kind
    this.why = why
    this.detail = detail
  }
}

/** The chosen file cannot be read any more, or is shorter than it was. No class of the format. */
export class InputError extends Error {
  override readonly name = 'InputError'
}

/** The browser lacks something: WebCrypto outside a secure context, WebAssembly, or memory for Argon2. No class of the format. */
export class EngineError extends Error {
  override readonly name = 'EngineError'
  readonly lacks: 'crypto' | 'memory' | 'wasm'
  /** The cost of the passphrase that could not be tried; the memory is 2^cost KiB. */
  readonly cost: number | undefined

  constructor(lacks: 'crypto' | 'memory' | 'wasm', why: string, cost?: number) {
    super(why)
    this.lacks = lacks
    this.cost = cost
  }
}

export function malformed(why: string): EnvelopeError {
  return new EnvelopeError('malformed', why)
}

/** Refuses as `malformed` what does not hold. */
export function require(holds: boolean, why: string): asserts holds {
  if (!holds) throw malformed(why)
}
