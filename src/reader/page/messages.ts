// What page and worker say to each other.

import type { Claim, Detail, Kind, Opened } from '../lib/mod.ts'
import type { Made, MakeRequest } from './making.ts'

/** A file that the worker reads as an envelope, and under which form. */
export interface Source {
  readonly file: Blob
  /** `page`: an `.encl.html`, in which the envelope is looked for. */
  readonly form: 'envelope' | 'page'
}

export interface KeyFile {
  readonly bytes: Uint8Array
  readonly passphrase?: string
}

export interface OpenRequest {
  readonly ask: 'open'
  readonly source: Source
  readonly keyFiles: readonly KeyFile[]
  readonly cards: readonly Uint8Array[]
  readonly approvals: readonly Uint8Array[]
  readonly passphrase?: string
  readonly now: string
  /** Where content goes: into one Blob; nowhere, it is only verified; or piece by piece to the page. */
  readonly keep: 'blob' | 'nothing' | 'pieces'
}

export type Request =
  | { readonly ask: 'look'; readonly source: Source }
  /** Reads one key file, card or approval. */
  | { readonly ask: 'read'; readonly as: 'identity' | 'card' | 'approval'; readonly bytes: Uint8Array; readonly passphrase?: string }
  | OpenRequest
  /** The last `open` once more, with another `keep`: the worker has the secrets already. */
  | { readonly ask: 'again'; readonly keep: 'pieces' }
  /** The page has stored the last piece. */
  | { readonly ask: 'next' }
  | MakeRequest

/** Where a failure was met, and for key files, cards and approvals in which of them. */
export interface Place {
  readonly of: 'envelope' | 'identity' | 'card' | 'approval'
  readonly position: number
}

export interface Failed {
  readonly say: 'failed'
  /** A class of the format; or what the page, the browser or the disk lacks. */
  readonly kind: Kind | 'unreadable' | 'no-memory' | 'no-crypto' | 'no-store' | 'broken'
  readonly why: string
  readonly place: Place
  readonly detail?: Detail
}

export type Answer =
  | { readonly say: 'looked'; readonly claim: Claim }
  | { readonly say: 'read'; readonly id: string; readonly name?: string; readonly address?: string }
  | { readonly say: 'progress'; readonly done: number; readonly total: number }
  | { readonly say: 'piece'; readonly bytes: Uint8Array }
  | { readonly say: 'opened'; readonly opened: Opened; readonly blob?: Blob }
  | Made
  | Failed
