// What a file is, by its first bytes: a hint for people. Whether it is intact shows when it is read.

/** An identity at rest is an `envelope` too: only who asked for a key file can tell. */
export type FileKind = 'envelope' | 'identity' | 'card' | 'approval' | 'html' | 'other'

const HEAD_BYTES = 64 << 10
const ENVELOPE = /^(encl\/[0-9]|-----BEGIN ENCL\/)/
// Blanks of one line only: with line ends among them the search would take the square of the time.
const EXPORT = /^[> \t]*encl-identity-export/m
const HTML = /^\s*(<!doctype html|<html)/i

/** 64 KiB of the file are enough. */
export function kindOf(head: Uint8Array): FileKind {
  // No fault for bytes that are no text: most files are not.
  const text = new TextDecoder().decode(head.subarray(0, HEAD_BYTES))
  if (ENVELOPE.test(text)) return 'envelope'
  if (EXPORT.test(text) || isLineWith(text, 'identity')) return 'identity'
  if (HTML.test(text)) return 'html'
  if (text.includes('encl-approval1:') || isLineWith(text, 'approval')) return 'approval'
  return text.includes('encl-card1:') ? 'card' : 'other'
}

/** One JSON object that has this member. */
function isLineWith(text: string, member: string): boolean {
  return text.startsWith('{') && text.includes(`"${member}"`)
}
