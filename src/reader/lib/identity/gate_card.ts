// The card of a gate: PROTOCOL.md. The page asks no gate; a reader that is held to the kit reads their cards.

import { byteLength, fromHex } from '../bytes.ts'
import { isAcceptable, verifies } from '../crypto/signing.ts'
import { EnvelopeError, require } from '../error.ts'
import { distinct, members, type Table } from '../json/members.ts'
import { type Json, parse, textOf } from '../json/scan.ts'
import { base64, id, number, text, time, word } from '../json/values.ts'
import { readSigned } from './carrier.ts'
import { type PublicKey, checkPublicKey, publicKeys } from './public_key.ts'

interface GateLine {
  gate: 'encl/1'
  id: string
  name: string
  url: string
  serial: number
  created: string
  log: Uint8Array
  origin: string
  keys: PublicKey[]
}

const URL_FORM = /^(https?):\/\/(\[[0-9a-f:.]*\]|[^[\]:/]*)(?::([1-9][0-9]{0,4}))?$/
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const USUAL_PORTS = new Map([
  ['http', 80],
  ['https', 443],
])

function gateUrl(value: Json): string {
  const taken = text(255)(value)
  const [, scheme = '', host = '', port] = URL_FORM.exec(taken) ?? []
  const isPort = port === undefined || (Number(port) <= 65_535 && Number(port) !== USUAL_PORTS.get(scheme))
  require(scheme !== '' && isPort && isHost(host), 'not the address of a gate')
  return taken
}

function isHost(host: string): boolean {
  const last = host.slice(host.lastIndexOf('.') + 1)
  const isNumeric = host.startsWith('[') || /^[0-9]/.test(last)
  return isNumeric ? isCanonicalAddress(host) : host.split('.').every(label => LABEL.test(label))
}

/** An IP address in the one form that the URL standard writes. */
function isCanonicalAddress(host: string): boolean {
  try {
    return new URL(`http://${host}/`).hostname === host
  } catch {
    return false
  }
}

function origin(value: Json): string {
  const taken = text()(value)
  // A form and no limit: signed notes have it so.
  require(byteLength(taken) <= 255, 'an origin of more than 255 bytes')
  require(!/[+\p{White_Space}]/u.test(taken), 'an origin with a blank or a plus')
  return taken
}

function acceptable(value: Json): Uint8Array {
  const key = base64(32)(value)
  require(isAcceptable(key), 'not a key that signs')
  return key
}

const GATE: Table<GateLine> = {
  gate: word('encl/1'),
  id,
  name: text(256),
  url: gateUrl,
  serial: number(1, 9_999_999_999),
  created: time,
  log: acceptable,
  origin,
  keys: publicKeys,
}

/** A server that holds a part of locks. Throws `EnvelopeError`. */
export function readGateCard(text: Uint8Array): { id: string; name: string; url: string } {
  const { line, signature } = readSigned('encl-gate1:', text)
  const due = ['gate', 'id', 'name', 'url', 'serial', 'created', 'log', 'origin', 'keys'] as const
  const card = members(parse(textOf(line)), GATE, due)
  require(card.keys.length > 0, 'an empty list')
  distinct(card.keys.map(key => key.serial), 'a serial')
  distinct(card.keys.map(key => String(key.key)), 'a key')
  if (!verifies(fromHex(card.id), 'gate card', line, signature)) throw new EnvelopeError('signature', 'of the card')
  for (const key of card.keys) checkPublicKey(key)
  require(card.keys.every(key => key.kem === 'x-wing'), 'a key that is no X-Wing key')
  return card
}
