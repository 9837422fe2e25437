// What page and worker say to each other.

import type { Claim, Detail, Kind, Opened } from '../lib/mod.ts'
import type { Made, MakeRequest } from './working/making.ts'

/** A file that the worker reads as an envelope. Its bytes stay with the page, which is asked for them. */
export interface Source {
  readonly bytes: number
  /** `page`: an `.encl.html`, in which the envelope is looked for. */
  readonly form: 'envelope' | 'page'
}

export interface KeyFile {
  readonly bytes: Uint8Array
  readonly passphrase?: string
}

export type Keep = 'pieces' | 'nothing'

export interface OpenRequest {
  readonly ask: 'open'
  readonly source: Source
  readonly keyFiles: readonly KeyFile[]
  readonly cards: readonly Uint8Array[]
  readonly approvals: readonly Uint8Array[]
  readonly passphrase?: string
  readonly now: string
  /** Where content goes: piece by piece to the page, or nowhere: it is only verified. */
  readonly keep: Keep
}

export type Request =
  | { readonly ask: 'look'; readonly source: Source }
  /** Reads one key file, card or approval. */
  | { readonly ask: 'read'; readonly as: 'identity' | 'card' | 'approval'; readonly bytes: Uint8Array; readonly passphrase?: string }
  | OpenRequest
  /** The last `open` once more, with another `keep`: the worker has the secrets already. */
  | { readonly ask: 'again'; readonly keep: Keep }
  /** The page has taken the last piece, and gives its buffer back. */
  | { readonly ask: 'next'; readonly bytes?: Uint8Array<ArrayBuffer> }
  /** The bytes that were wanted, or none if the file cannot be read. */
  | { readonly ask: 'give'; readonly number: number; readonly bytes?: Uint8Array }
  | MakeRequest

/** Where a failure was met, and for key files, cards and approvals in which of them. */
export interface Place {
  readonly of: 'envelope' | 'identity' | 'card' | 'approval'
  readonly position: number
}

export interface Failed {
  readonly say: 'failed'
  /** A class of the format; or what the page, the browser or the disk lacks. */
  readonly kind: Kind | 'unreadable' | 'no-memory' | 'no-wasm' | 'no-crypto' | 'no-store' | 'broken'
  readonly why: string
  readonly place: Place
  readonly detail?: Detail
}

export type Answer =
  | { readonly say: 'looked'; readonly claim: Claim }
  | { readonly say: 'read'; readonly id: string; readonly name?: string; readonly address?: string }
  | { readonly say: 'progress'; readonly done: number; readonly total: number }
  /** Bytes of the file are wanted; `number` tells which answer is which. */
  | { readonly say: 'want'; readonly number: number; readonly start: number; readonly end: number }
  | { readonly say: 'piece'; readonly bytes: Uint8Array }
  | { readonly say: 'opened'; readonly opened: Opened }
  | Made
  | Failed
