// Cards: the public half of an identity, signed by its root key.

import { fingerprintOf, fromHex, startsWith, utf8 } from '../bytes.ts'
import { verifies } from '../crypto/signing.ts'
import { EnvelopeError, require } from '../error.ts'
import { distinct, listOf, members, type Table } from '../json/members.ts'
import { type Json, parse, textOf } from '../json/scan.ts'
import { base64, id, number, text, time, word } from '../json/values.ts'
import { TEXT_BYTES_MAX, readSigned } from './carrier.ts'
import { type PublicKey, SERIAL_MAX, checkPublicKey, publicKeys } from './public_key.ts'

export const CARD_PREFIX = 'encl-card1:'

/** A card that was verified. */
export interface Card {
  /** The root key in hexadecimal. */
  readonly id: string
  /** `id` in 16 groups of four. */
  readonly fingerprint: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly serial: number
  readonly created: string
  /** When the last of its keys ends; absent when one of them has no end. */
  readonly expires?: string
}

interface Predecessor {
  id: string
  sig: Uint8Array
}

interface CardLine {
  card: 'encl/1'
  id: string
  name: string
  addresses: string[]
  serial: number
  created: string
  keys: PublicKey[]
  replaces?: Predecessor[]
}

const WHITE_SPACE = /\p{White_Space}/u

function address(value: Json): string {
  const taken = text(320)(value)
  const parts = taken.split('@')
  require(parts.length === 2 && parts.every(part => part !== '') && !WHITE_SPACE.test(taken), 'not an address')
  return taken
}

const PREDECESSOR: Table<Predecessor> = { id, sig: base64(64) }

const CARD: Table<CardLine> = {
  card: word('encl/1'),
  id,
  name: text(256),
  addresses: listOf(16, address),
  serial: number(1, SERIAL_MAX),
  created: time,
  keys: publicKeys,
  replaces: listOf(4, one => members(one, PREDECESSOR, ['id', 'sig'])),
}

/** One card and nothing else. Throws `EnvelopeError`. */
export function readCard(text: Uint8Array): Card {
  const { line, signature } = readSigned(CARD_PREFIX, text)
  const card = members(parse(textOf(line)), CARD, ['card', 'id', 'name', 'addresses', 'serial', 'created', 'keys'])
  checkCounts(card)
  const root = fromHex(card.id)
  if (!verifies(root, 'card', line, signature)) throw new EnvelopeError('signature', 'of the card')
  for (const one of card.replaces ?? []) {
    if (!verifies(fromHex(one.id), 'succession', root, one.sig)) throw new EnvelopeError('signature', 'of an identity before')
  }
  for (const key of card.keys) checkPublicKey(key)
  const { id, name, addresses, serial, created } = card
  const expires = endOf(card.keys)
  return { id, fingerprint: fingerprintOf(id), name, addresses, serial, created, ...(expires !== undefined && { expires }) }
}

function endOf(keys: readonly PublicKey[]): string | undefined {
  const ends = keys.flatMap(key => key.expires ?? [])
  return ends.length === keys.length ? ends.sort().pop() : undefined
}

function checkCounts(card: CardLine): void {
  require(card.addresses.length > 0 && card.keys.length > 0, 'an empty list')
  require(card.replaces?.length !== 0, 'replaces is empty')
  const replaced = (card.replaces ?? []).map(one => one.id)
  distinct([...replaced, card.id], 'an identity')
  distinct(card.addresses.map(asciiLowerCase), 'an address')
  distinct(card.keys.map(key => key.serial), 'a serial')
  distinct(card.keys.map(key => String(key.key)), 'a key')
}

/** `toLowerCase` makes a k of the Kelvin sign. */
export function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, letter => letter.toLowerCase())
}

/**
 * The cards in a text that hold, for instance of a message with a card in it, at most `most`; the others are left out. A card ends
 * where the next one begins, or a text of many prefixes would be read over and over.
 */
export function readCards(text: Uint8Array, most = Infinity): Card[] {
  const places = placesOf(utf8(CARD_PREFIX), text)
  const cards: Card[] = []
  for (const [number, at] of places.entries()) {
    const end = Math.min(places[number + 1] ?? text.length, at + TEXT_BYTES_MAX)
    const card = firstCard(text.subarray(at, end))
    if (card !== undefined) cards.push(card)
    if (cards.length >= most) break
  }
  return cards
}

function placesOf(part: Uint8Array, text: Uint8Array): number[] {
  const places: number[] = []
  const first = part[0] ?? 0
  for (let at = text.indexOf(first); at >= 0; at = text.indexOf(first, at + 1)) {
    if (startsWith(text.subarray(at, at + part.length), part)) places.push(at)
  }
  return places
}

/** The card at the start of a text. It may be wrapped and quoted, and its end shows only by its check characters. */
function firstCard(text: Uint8Array): Card | undefined {
  const LF = 0x0a
  let end = 0
  while (end < text.length) {
    const lineEnd = text.indexOf(LF, end)
    end = lineEnd < 0 ? text.length : lineEnd + 1
    try {
      return readCard(text.subarray(0, end))
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error
    }
  }
  return undefined
}
