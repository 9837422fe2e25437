// Private keys: the plain line, the envelope at rest, and what `encl key export` writes.

import { concat, fingerprintOf, hex, startsWith, utf8 } from '../bytes.ts'
import { PrivateKey } from '../crypto/kem.ts'
import type { Argon2 } from '../crypto/passphrase.ts'
import { publicOf } from '../crypto/signing.ts'
import { EnvelopeError, require } from '../error.ts'
import { fromBytes } from '../input/input.ts'
import { open } from '../envelope/open.ts'
import { distinct, listOf, members, type Table } from '../json/members.ts'
import { parse, textOf } from '../json/scan.ts'
import { base64, id, word } from '../json/values.ts'
import type { Card } from './card.ts'
import { isExport, readExport } from './export.ts'
import { KEY_FACTS, type KeyFacts } from './public_key.ts'

/** An identity that can open envelopes. */
export interface Identity {
  /** The root key in hexadecimal. */
  readonly id: string
  /** `id` in 16 groups of four. */
  readonly fingerprint: string
  /** Secret, in order of preference. */
  readonly keys: readonly PrivateKey[]
  /** Of an export only. */
  readonly card?: Card
  /** Of an export only: its owner ended it. It still opens. */
  readonly ended: boolean
}

interface SecretKey extends KeyFacts {
  secret: Uint8Array
}

interface IdentityLine {
  identity: 'encl/1'
  id: string
  seed: Uint8Array
  keys: SecretKey[]
}

const SECRET_KEY: Table<SecretKey> = { ...KEY_FACTS, secret: base64(32) }

const IDENTITY: Table<IdentityLine> = {
  identity: word('encl/1'),
  id,
  seed: base64(32),
  keys: listOf(16, one => members(one, SECRET_KEY, ['kem', 'secret', 'serial', 'created'])),
}

/** No identity has more bytes: 16 keys, in an envelope with one lock. */
const BYTES_MAX = 2 << 20
const BRACE = 0x7b
const LETTER_E = 0x65
const LF = 0x0a
/** An envelope of an identity has no dates, so any time does. */
const ANY_TIME = '1970-01-01T00:00:00Z'

/** Throws `EnvelopeError`: `locked` when it asks for a passphrase, `passphrase` for a wrong one, `not-an-identity` for another file. */
export async function readIdentity(text: Uint8Array, passphrase?: string, argon2?: 'wasm' | 'plain' | Argon2): Promise<Identity> {
  if (text.length > BYTES_MAX) throw new EnvelopeError('not-an-identity', 'it is too long')
  if (isExport(text)) {
    const { card, ended, secret } = readExport(text)
    const identity = await fromSecret(secret, passphrase, argon2)
    if (identity.id !== card.id) throw new EnvelopeError('not-an-identity', 'its parts belong to different identities')
    return { ...identity, card, ended }
  }
  return fromSecret(text, passphrase, argon2)
}

/** The first byte tells whether it is sealed. */
async function fromSecret(secret: Uint8Array, passphrase?: string, argon2?: 'wasm' | 'plain' | Argon2): Promise<Identity> {
  if (secret[0] === BRACE) return fromLine(withoutLf(secret))
  const isEnvelope = secret[0] === LETTER_E && startsWith(secret, utf8('encl/'))
  if (!isEnvelope) throw new EnvelopeError('not-an-identity', 'neither an identity nor an exported one')
  const content: Uint8Array[] = []
  const output = { write: async (bytes: Uint8Array) => void content.push(bytes) }
  const keys = { identities: [], approvals: [], cards: [], ...(passphrase !== undefined && { passphrase }) }
  await open(fromBytes(secret), keys, output, { now: ANY_TIME, ...(argon2 !== undefined && { argon2 }) })
  return fromLine(withoutLf(concat(...content)))
}

function withoutLf(bytes: Uint8Array): Uint8Array {
  return bytes[bytes.length - 1] === LF ? bytes.subarray(0, -1) : bytes
}

/** The line of an identity, without its line feed. Throws `EnvelopeError`. */
function fromLine(line: Uint8Array): Identity {
  const found = members(parse(textOf(line)), IDENTITY, ['identity', 'id', 'seed', 'keys'])
  require(found.keys.length > 0, 'no key')
  distinct(found.keys.map(key => key.serial), 'a serial')
  distinct(found.keys.map(key => hex(key.secret)), 'a secret')
  require(hex(publicOf(found.seed)) === found.id, 'the id is not that of the seed')
  const keys = found.keys.map(key => new PrivateKey(key.kem, key.secret))
  return { id: found.id, fingerprint: fingerprintOf(found.id), keys, ended: false }
}
