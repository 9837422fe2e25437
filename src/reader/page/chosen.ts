// The files that somebody chose or dropped, told apart by what stands in them.

// Not from `mod.ts`: the page needs nothing of what opens envelopes.
import { kindOf } from '../lib/input/kind.ts'
import type { Source } from './messages.ts'

const HEAD_BYTES = 64 << 10
/** Key files, cards and approvals are smaller: longer files are none, and are not loaded. */
const SMALL_BYTES_MAX = 2 << 20

/** An envelope, not looked into yet. */
export interface Envelope {
  readonly name: string
  readonly file: Blob
  readonly source: Source
}

export function envelope(name: string, file: Blob, form: Source['form']): Envelope {
  return { name, file, source: { bytes: file.size, form } }
}

/** A small file that was read. */
export interface Small {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What came with one choice or one drop. */
export interface Sorted {
  readonly envelopes: Envelope[]
  readonly keyFiles: Small[]
  readonly cards: Small[]
  readonly approvals: Small[]
  readonly others: string[]
}

export async function sorted(files: readonly File[]): Promise<Sorted> {
  const result: Sorted = { envelopes: [], keyFiles: [], cards: [], approvals: [], others: [] }
  for (const file of files) await put(file, result)
  return result
}

async function put(file: File, into: Sorted): Promise<void> {
  const { name } = file
  const kind = kindOf(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()))
  if (kind === 'envelope') into.envelopes.push(envelope(name, file, 'envelope'))
  else if (kind === 'html') into.envelopes.push(envelope(name, file, 'page'))
  else if (kind === 'other' || file.size > SMALL_BYTES_MAX) into.others.push(name)
  else into[`${kind === 'identity' ? 'keyFile' : kind}s`].push(await small(file))
}

/** A whole file of at most 2 MiB. Throws when it cannot be read. */
export async function small(file: File): Promise<Small> {
  return { name: file.name, bytes: new Uint8Array(await file.slice(0, SMALL_BYTES_MAX + 1).arrayBuffer()) }
}
