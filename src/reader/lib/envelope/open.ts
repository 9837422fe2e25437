// Opening an envelope, in the order of FORMAT.md, "Reading": the first failure wins.

import { concat, equal, fingerprintOf, fromHex, u64, utf8 } from '../bytes.ts'
import { expand, extract, hmac } from '../crypto/hash.ts'
import { type Argon2, argon2Of } from '../crypto/passphrase.ts'
import { verifies } from '../crypto/signing.ts'
import { EnvelopeError } from '../error.ts'
import type { Approval } from '../identity/approval.ts'
import type { Card } from '../identity/card.ts'
import type { Identity } from '../identity/identity.ts'
import { type Admission, admissionOf } from './admission.ts'
import { Body } from '../payload/body.ts'
import type { Input, Output } from '../input/input.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { chunks } from '../payload/chunks.ts'
import type { Policy } from './policy_line.ts'
import type { PrivateLine } from './private_line.ts'
import { FileSource } from '../input/source.ts'
import { Unlocking, isUsable } from './unlock.ts'

/** More bring nothing (measured in three engines). */
const IN_FLIGHT = 8

/** What the reader has. `identities` stand in order of preference, `approvals` in the order in which they were given. */
export interface Keys {
  readonly identities: readonly Identity[]
  readonly approvals: readonly Approval[]
  /** Only to put a name to the signer. */
  readonly cards: readonly Card[]
  readonly passphrase?: string
}

export interface Options {
  /** The time in UTC: `YYYY-MM-DDThh:mm:ssZ`. */
  readonly now: string
  /** Bytes of the input that were read, and all of them. Called first when the locks are open, so never while Argon2 runs. */
  progress?(done: number, total: number): void
  /** Chunks that are decrypted at a time: 8. */
  readonly inFlight?: number
  /** `plain`: without WebAssembly, slow. Absent: WebAssembly where the engine has it. A function: tests remember answers. */
  readonly argon2?: 'wasm' | 'plain' | Argon2
}

/** What is certain once all was read. */
export interface Opened {
  /** Bytes of content. */
  readonly bytes: number
  /** The name as its author wrote it: advice, and not clean. */
  readonly name?: string
  readonly type?: string
  readonly subject?: string
  readonly modified?: string
  /** `mail` is one whole message; `mail-part` is one part of a message, with its header. */
  readonly kind: 'file' | 'mail' | 'mail-part'
  /** Absent when the envelope is not signed. `card` is there when one of `cards` has this root key. */
  readonly signer?: { readonly id: string; readonly fingerprint: string; readonly card?: Card }
  /** The passphrase, if it opened a lock; else approvals or several shares (`quorum`); else a key. */
  readonly openedWith: 'key' | 'passphrase' | 'quorum'
  readonly admission: Admission
  readonly private: boolean
  readonly created?: string
  readonly notBefore?: string
  readonly expires?: string
  readonly labels: readonly (readonly [string, string])[]
  /** Approvals that were of no use here, by their position: of another envelope, of no lock, or for another key. */
  readonly ignoredApprovals: readonly number[]
}

/**
 * Opens it and writes the content to `output`, which is not to be shown or kept before this resolves.
 * Throws `EnvelopeError`, `InputError`, `EngineError`, and what `output` throws.
 */
export async function open(input: Input, keys: Keys, output: Output, options: Options): Promise<Opened> {
  const progress = new Progress(input.size, options)
  const source = new FileSource(input, done => progress.read(done))
  const manifest = await readManifest(source)
  const privateKeys = keys.identities.flatMap(identity => identity.keys)
  const ignored = [...keys.approvals.keys()].filter(at => !isUsable(keys.approvals[at] as Approval, manifest, privateKeys))
  const keyring = {
    keys: privateKeys,
    approvals: keys.approvals.filter((_, at) => !ignored.includes(at)),
    passphrase: keys.passphrase,
    argon2: argon2Of(options.argon2),
  }
  const unlocking = new Unlocking(manifest, keyring)
  const contentKey = extract(manifest.id, concat(...(await unlocking.allLocks())))
  const mac = hmac(expand(contentKey, utf8('encl/1 mac')), manifest.accessHash)
  if (!equal(mac, manifest.mac)) throw new EnvelopeError('header', 'line 3 was changed by somebody without the content key')
  decide(manifest.policy, options.now)
  progress.begin()
  const payloadKey = expand(contentKey, utf8('encl/1 payload'))
  const hashes = manifest.policy.signed ? 'with-hashes' : 'without-hashes'
  const body = new Body(manifest.policy, output)
  const line = await body.read(chunks(manifest.reading, payloadKey, manifest.id, hashes, options.inFlight ?? IN_FLIGHT))
  const signer = manifest.policy.signer ?? line.signer
  if (signer !== undefined) verifySignature(signer, manifest.id, body)
  return {
    ...about(manifest, line),
    bytes: body.bytes,
    openedWith: openedWith(manifest, unlocking),
    admission: admissionOf(manifest, line, unlocking.openedBy),
    ignoredApprovals: ignored,
    ...(signer !== undefined && { signer: signerOf(signer, keys.cards) }),
  }
}

/** What was read is told from the payload on: a small envelope is read as a whole before a passphrase is tried. */
class Progress {
  private readonly all: number
  private readonly options: Options
  private done = 0
  private isBegun = false

  constructor(all: number, options: Options) {
    this.all = all
    this.options = options
  }

  read(done: number): void {
    this.done = done
    if (this.isBegun) this.options.progress?.(done, this.all)
  }

  begin(): void {
    this.isBegun = true
    this.read(this.done)
  }
}

/** Step 7. */
function decide(policy: Policy, now: string): void {
  const { not_before: notBefore, expires } = policy
  if (notBefore !== undefined && now < notBefore) throw new EnvelopeError('refused', 'it may not be opened yet', { notBefore })
  if (expires !== undefined && now >= expires) throw new EnvelopeError('refused', 'it may not be opened any more', { expires })
}

/** Step 12. */
function verifySignature(signer: string, id: Uint8Array, body: Body): void {
  const { bytes, root, signature } = body.signed()
  const holds = verifies(fromHex(signer), 'signature', concat(id, u64(bytes), root), signature)
  if (!holds) throw new EnvelopeError('signature', 'the signature is not that of the named author')
}

function signerOf(id: string, cards: readonly Card[]) {
  const newest = cards.filter(card => card.id === id).sort((one, other) => other.serial - one.serial)[0]
  return { id, fingerprint: fingerprintOf(id), ...(newest !== undefined && { card: newest }) }
}

function openedWith(manifest: Manifest, unlocking: Unlocking): Opened['openedWith'] {
  const { slots, approvals } = unlocking.openedBy
  if (slots.some(slot => slot.key === 'passphrase')) return 'passphrase'
  const isJoined = manifest.gate !== undefined || manifest.policy.locks.some(lock => lock.need > 1)
  return isJoined || approvals.length > 0 ? 'quorum' : 'key'
}

/** What line 2 and the private line say. */
function about(manifest: Manifest, line: PrivateLine) {
  const { policy } = manifest
  const created = policy.created ?? line.created
  return {
    kind: kindOfContent(line),
    private: policy.private,
    labels: policy.labels ?? [],
    ...(line.name !== undefined && { name: line.name }),
    ...(line.type !== undefined && { type: line.type }),
    ...(line.subject !== undefined && { subject: line.subject }),
    ...(line.modified !== undefined && { modified: line.modified }),
    ...(created !== undefined && { created }),
    ...(policy.not_before !== undefined && { notBefore: policy.not_before }),
    ...(policy.expires !== undefined && { expires: policy.expires }),
  }
}

function kindOfContent(line: PrivateLine): Opened['kind'] {
  if (line.mail?.mode === 'message') return 'mail'
  return line.mail === undefined ? 'file' : 'mail-part'
}
