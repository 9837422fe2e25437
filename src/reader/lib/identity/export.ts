// What `encl key export` writes: card, revocation and private keys of one identity, each in a line.

import { fromBase64 } from '../base64.ts'
import { startsWith, utf8 } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'
import { textOf } from '../json/scan.ts'
import { type Card, readCard } from './card.ts'
import { readRevocation } from './revocation.ts'

const EXPORT = utf8('encl-identity-export')
const HEAD = 'encl-identity-export1'
const REVOKED = 'revoked'

/** The parts of an export. `secret` is an identity at rest, or its plain line. */
export interface Export {
  readonly card: Card
  readonly ended: boolean
  readonly secret: Uint8Array
}

function wrong(why: string): EnvelopeError {
  return new EnvelopeError('not-an-identity', `the export: ${why}`)
}

/** Whether it is an export of any version. */
export function isExport(text: Uint8Array): boolean {
  return startsWith(text, EXPORT)
}

/** Throws `EnvelopeError`. */
export function readExport(text: Uint8Array): Export {
  const lines = textOf(text).split('\n').map(line => (line.endsWith('\r') ? line.slice(0, -1) : line))
  if (lines[lines.length - 1] === '') lines.pop()
  if (lines.shift() !== HEAD) throw new EnvelopeError('newer', 'an export of another version')
  const card = readCard(utf8(valueOf(lines.shift(), 'card')))
  const revocation = readRevocation(utf8(valueOf(lines.shift(), 'revocation')))
  if (revocation.id !== card.id) throw wrong('its parts belong to different identities')
  const ended = lines[0]?.startsWith('ended') ? valueOf(lines.shift(), 'ended') : undefined
  if (ended !== undefined && ended !== REVOKED) throw wrong('its line `ended` says nothing known')
  const secret = fromBase64(utf8(valueOf(lines.shift(), 'secret')))
  if (secret === undefined) throw wrong('its private keys are mangled')
  if (lines.length > 0) throw wrong('something stands behind its end')
  return { card, ended: ended !== undefined, secret }
}

function valueOf(line: string | undefined, name: string): string {
  if (!line?.startsWith(`${name} `)) throw wrong(`its line \`${name}\` is missing`)
  return line.slice(name.length + 1)
}
