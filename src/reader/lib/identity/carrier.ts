// The text form of cards, revocations, groups, approvals and tokens, read and written: a prefix, then base64url in groups with check
// characters.

import { fromBase64Url, toBase64Url } from '../base64.ts'
import { byte, concat, equal, label, startsWith, u16, utf8 } from '../bytes.ts'
import { sha } from '../crypto/hash.ts'
import { EnvelopeError, type Kind } from '../error.ts'

export const TEXT_BYTES_MAX = 262_144
export const CONTENT_BYTES_MAX = 65_536
const GROUP = 60
const CHECK = 2
const SIGNATURE_BYTES = 64
const LF = 0x0a
const GREATER = 0x3e
const BLANKS = [0x20, 0x09]
const WHITE_SPACE = [...BLANKS, 0x0d, LF]

/** The content. `other` is the class of a text with another prefix. */
export function readCarried(prefix: string, text: Uint8Array, other: Kind): Uint8Array {
  if (text.length > TEXT_BYTES_MAX) throw new EnvelopeError('over-limit', 'the text')
  const bare = withoutQuoting(text)
  const head = utf8(prefix)
  if (!startsWith(bare, head)) throw new EnvelopeError(other, `it does not begin with ${prefix}`)
  const content = fromBase64Url(withoutChecks(bare.subarray(head.length)))
  if (content === undefined) throw new EnvelopeError('mangled', 'not base64url')
  if (content.length > CONTENT_BYTES_MAX) throw new EnvelopeError('over-limit', 'the content')
  return content
}

/** Line and signature of a content that is signed. */
export function readSigned(prefix: string, text: Uint8Array): { line: Uint8Array; signature: Uint8Array } {
  const content = readCarried(prefix, text, 'not-a-card')
  const end = content.length - SIGNATURE_BYTES - 1
  if (end < 0 || byte(content, end) !== LF) throw new EnvelopeError('mangled', 'no line feed in front of the signature')
  return { line: content.subarray(0, end), signature: content.subarray(end + 1) }
}

/** Without what mail programs put in front of lines and between them. */
function withoutQuoting(text: Uint8Array): Uint8Array {
  const bare = new Uint8Array(text.length)
  let length = 0
  let isAtStart = true
  for (const one of text) {
    const isQuoting: boolean = isAtStart && one === GREATER
    isAtStart = one === LF || (isAtStart && (isQuoting || BLANKS.includes(one)))
    if (!isQuoting && !WHITE_SPACE.includes(one)) bare[length++] = one
  }
  return bare.subarray(0, length)
}

function withoutChecks(bare: Uint8Array): Uint8Array {
  const groups: Uint8Array[] = []
  for (let at = 0; at < bare.length; at += GROUP + CHECK) {
    const whole = bare.subarray(at, at + GROUP + CHECK)
    const group = whole.subarray(0, Math.max(whole.length - CHECK, 0))
    const number = groups.length
    if (group.length === 0 || !equal(whole.subarray(group.length), utf8(checkOf(number, group)))) {
      throw new EnvelopeError('mangled', `group ${number + 1}`)
    }
    groups.push(group)
  }
  return concat(...groups)
}

/** Any content as one line, without a line feed. */
export function carry(prefix: string, content: Uint8Array): string {
  const groups = groupsOf(toBase64Url(content), GROUP)
  return prefix + groups.map((group, number) => group + checkOf(number, utf8(group))).join('')
}

/** A line, a line feed and a signature as one line of text. */
export function carrySigned(prefix: string, line: string, signature: Uint8Array): string {
  return carry(prefix, concat(utf8(`${line}\n`), signature))
}

/** One group a line, as mail programs leave it alone. */
export function wrapped(prefix: string, text: string): string {
  return prefix + groupsOf(text.slice(prefix.length), GROUP + CHECK).join('\n')
}

function groupsOf(text: string, size: number): string[] {
  return text.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
}

function checkOf(number: number, group: Uint8Array): string {
  return toBase64Url(sha(label('encl/1 check'), u16(number), group)).slice(0, CHECK)
}
