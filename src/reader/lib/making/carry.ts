// The text form of cards, revocations and tokens as a writer makes it: base64url in groups, each with check characters.

import { toBase64Url } from '../base64.ts'
import { concat, label, u16, utf8 } from '../bytes.ts'
import { sha } from '../crypto/hash.ts'

const GROUP = 60
const CHECK = 2

/** Any content as one line, without a line feed. */
export function carry(prefix: string, content: Uint8Array): string {
  const groups = toBase64Url(content).match(/.{1,60}/g) ?? []
  return prefix + groups.map((group, number) => group + checkOf(number, group)).join('')
}

/** A line, a line feed and a signature as one line of text. */
export function carrySigned(prefix: string, line: string, signature: Uint8Array): string {
  return carry(prefix, concat(utf8(`${line}\n`), signature))
}

/** One group a line, as mail programs leave it alone. */
export function wrapped(prefix: string, text: string): string {
  const groups = text.slice(prefix.length).match(new RegExp(`.{1,${GROUP + CHECK}}`, 'g')) ?? []
  return prefix + groups.join('\n')
}

function checkOf(number: number, group: string): string {
  return toBase64Url(sha(label('encl/1 check'), u16(number), utf8(group))).slice(0, CHECK)
}
