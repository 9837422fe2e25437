// An envelope that a passphrase alone opens, for something small: an identity at rest (FORMAT.md, "Identity files" and "Writing").

import { toBase64 } from '../base64.ts'
import { concat, label, u16, utf8, wipe } from '../bytes.ts'
import { subtle } from '../crypto/aes.ts'
import { expand, extract, hmac, sha } from '../crypto/hash.ts'
import { type Argon2, argon2Of, normalized } from '../crypto/passphrase.ts'
import { EnvelopeError } from '../error.ts'
import { CHUNK_BYTES, messageSecrets } from '../payload/chunks.ts'

/** 64 MiB, which every device has. */
const COST = 16
const FIRST_LOCK = u16(0)

/** Seals a content of less than a chunk, neither signed nor private nor padded. Throws `EnvelopeError`, `EngineError`. */
export async function sealToPassphrase(content: Uint8Array, passphrase: string, argon2?: Argon2): Promise<Uint8Array> {
  const typed = normalized(passphrase)
  if (typed === undefined) throw new EnvelopeError('passphrase', 'of a forbidden length')
  const secret = random(32)
  const salt = random(16)
  const key = await argon2Of(argon2)(typed, salt, COST)
  const head = `encl/1\n${policyLine(secret, salt, key)}\n`
  const policy = sha(utf8(head))
  const ct = await sealMessage(secret, key, concat(label('encl/1 passphrase'), policy, FIRST_LOCK))
  const lines = `${head}${JSON.stringify({ slots: [{ lock: 0, salt: toBase64(salt), ct: toBase64(ct) }] })}\n`
  const contentKey = extract(policy, secret)
  const mac = hmac(expand(contentKey, utf8('encl/1 mac')), sha(utf8(lines)))
  const plain = concat(utf8('{}\n'), content)
  const payload = await sealMessage(plain, expand(contentKey, utf8('encl/1 payload')), policy)
  wipe(secret, key, contentKey, plain, typed)
  return concat(utf8(`${lines}${toBase64(mac)}\n`), payload)
}

function policyLine(secret: Uint8Array, salt: Uint8Array, key: Uint8Array): string {
  const lock = {
    kind: 'recipients',
    need: 1,
    commit: toBase64(sha(label('encl/1 lock'), secret)),
    passphrase: COST,
    passphrase_commit: toBase64(sha(label('encl/1 passphrase commit'), salt, key, secret)),
    recipients: [],
  }
  return JSON.stringify({ signed: false, private: false, padding: 'none', locks: [lock] })
}

/** A message of chunked encryption with one chunk, which is the last because it is short. */
async function sealMessage(plain: Uint8Array, inputKey: Uint8Array, context: Uint8Array): Promise<Uint8Array> {
  if (plain.length >= CHUNK_BYTES) throw new EnvelopeError('over-limit', 'more than one chunk')
  const salt = random(24)
  const { key, nonce, commitment } = messageSecrets(inputKey, salt, context)
  const chunk = await encrypt(key, nonce, plain.slice())
  return concat(salt, commitment, chunk)
}

async function encrypt(key: Uint8Array<ArrayBuffer>, nonce: Uint8Array<ArrayBuffer>, plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const aes = await subtle().importKey('raw', key, 'AES-GCM', false, ['encrypt'])
  return new Uint8Array(await subtle().encrypt({ name: 'AES-GCM', iv: nonce, tagLength: 128 }, aes, plain))
}

/** Bytes of the operating system. */
export function random(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size))
}
