// Where an envelope's bytes come from and where its content goes.

import type { EnvelopeError } from '../error.ts'

/** A file of known size. `read` gives exactly these bytes, which are not to be changed, or throws `InputError`. */
export interface Input {
  readonly size: number
  /** What is met behind the last byte, where not just the end is. */
  readonly fault?: EnvelopeError
  read(start: number, end: number): Promise<Uint8Array>
}

/**
 * Takes content in order. Nothing of it is verified as a whole before `open` has resolved: the caller keeps it back till then. The bytes
 * may share their buffer with others, so it is not to be transferred.
 */
export interface Output {
  write(bytes: Uint8Array): Promise<void>
}

/** Bytes in memory as an input. */
export function fromBytes(bytes: Uint8Array): Input {
  return { size: bytes.length, read: async (start, end) => bytes.slice(start, end) }
}
