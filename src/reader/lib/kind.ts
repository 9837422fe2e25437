// What a file is, by its first bytes: a hint for people. Whether it is intact shows when it is read.

/** An identity at rest is an `envelope` too: only who is asked for a key file can tell. */
export type FileKind = 'envelope' | 'identity' | 'card' | 'approval' | 'html' | 'other'

/** 64 KiB of the file are enough. */
export function kindOf(_head: Uint8Array): FileKind {
  throw new Error('not there yet')
}
