// Opening the locks with a reader's keys: steps 4 and 5 of reading.

import { concat, equal, hex, label, u16 } from '../bytes.ts'
import { sha } from '../crypto/hash.ts'
import type { PrivateKey } from '../crypto/kem.ts'
import { type Argon2, normalized } from '../crypto/passphrase.ts'
import { EnvelopeError } from '../error.ts'
import type { Approval } from '../identity/approval.ts'
import type { KeySlot } from './access_line.ts'
import { type Manifest, keySlots } from './manifest.ts'
import type { Lock } from './policy_line.ts'
import { Gathered, isSecret, isShare } from './gathered.ts'
import { openMessage } from '../payload/chunks.ts'

/** What the reader has. Keys stand in order of preference. */
interface Keyring {
  readonly keys: readonly PrivateKey[]
  /** Those that count here: of this envelope, of a lock that it has, for one of the keys. */
  readonly approvals: readonly Approval[]
  readonly passphrase: string | undefined
  readonly argon2: Argon2
}

/** What opened a lock, for the admission. Approvals for gate locks are not in it, nor slots of these. */
export interface OpenedBy {
  readonly slots: { lock: number; key: string | 'passphrase' }[]
  /** The keys that the approvals were sealed to. */
  readonly approvals: string[]
}

export class Unlocking {
  readonly openedBy: OpenedBy = { slots: [], approvals: [] }
  private readonly manifest: Manifest
  private readonly keyring: Keyring

  constructor(manifest: Manifest, keyring: Keyring) {
    this.manifest = manifest
    this.keyring = keyring
  }

  /** The secrets of all locks, in their order. */
  async allLocks(): Promise<Uint8Array[]> {
    this.refuseHopeless()
    const secrets: (Uint8Array | undefined)[] = []
    for (const [number, lock] of this.manifest.policy.locks.entries()) {
      if (lock.kind === 'recipients') secrets.push(await this.lock(number, lock))
    }
    // Only in a private envelope: its slots had to be tried.
    const closed = secrets.findIndex(secret => secret === undefined)
    if (closed >= 0) {
      if (secrets.every(secret => secret === undefined)) throw new EnvelopeError('no-key', 'no slot of the private envelope opens')
      throw this.lacking(closed, 0)
    }
    const opened = secrets.filter(secret => secret !== undefined)
    if (this.manifest.gate !== undefined) opened.push(await this.gateLock(this.manifest.gate.lock))
    return opened
  }

  /** Step 4: asks for nothing and opens nothing. A page cannot ask servers, so they are no hope. */
  private refuseHopeless(): void {
    const hopes = this.manifest.policy.locks.map((lock, number) => this.mayOpen(number, lock))
    const hopeless = hopes.indexOf(false)
    if (hopeless < 0) return
    if (hopes.includes(true)) throw this.lacking(hopeless, 0)
    const people = this.manifest.policy.locks.flatMap(lock => lock.recipients ?? [])
    throw new EnvelopeError('no-key', 'nothing in it is for these keys', { people })
  }

  private mayOpen(number: number, lock: Lock): boolean {
    const { keys } = this.keyring
    if (lock.passphrase !== undefined || this.approvalsFor(number).length > 0) return true
    if (lock.kind === 'gate') return keys.some(key => this.gatesOf(key).length > 0)
    return keySlots(this.manifest, number).some(slot => keys.some(key => this.mightFit(key, slot)))
  }

  /** A slot of a private envelope shows no more than its KEM. */
  private mightFit(key: PrivateKey, slot: KeySlot): boolean {
    return slot.key === undefined ? slot.enc.length === key.encBytes : slot.key === key.id
  }

  private approvalsFor(lock: number): Approval[] {
    return this.keyring.approvals.filter(approval => approval.lock === lock)
  }

  /** The positions of a gate lock that are for this key of a person. */
  private gatesOf(key: PrivateKey): number[] {
    const gates = this.manifest.gate?.lock.gates ?? []
    return [...gates.keys()].filter(at => gates[at]?.kind === 'person' && gates[at]?.key === key.id)
  }

  /** A lock for which somebody else is needed. */
  private lacking(number: number, have: number): EnvelopeError {
    const lock = this.manifest.policy.locks[number] as Lock
    const servers = (lock.gates ?? []).filter(gate => gate.kind === 'server')
    const gates = (lock.gates ?? []).flatMap(({ name }) => (name === undefined ? [] : [{ name }]))
    const detail = { have, need: lock.need, lock: number, people: lock.recipients ?? gates }
    const why = `lock ${number}: ${have} of ${lock.need}`
    return new EnvelopeError(servers.length > 0 ? 'gate' : 'quorum', why, detail)
  }

  /** One recipients' lock: with keys, then approvals, else the passphrase. `undefined`: nothing fits, in a private envelope. */
  private async lock(number: number, lock: Lock): Promise<Uint8Array | undefined> {
    const gathered = new Gathered(lock)
    for (const key of this.keyring.keys) {
      if (gathered.isEnough()) break
      const plain = await this.inASlot(number, key)
      if (plain === undefined) continue
      gathered.take(plain)
      this.openedBy.slots.push({ lock: number, key: key.id })
    }
    for (const approval of this.approvalsFor(number)) {
      if (gathered.isEnough()) break
      gathered.take(await this.inAnApproval(approval))
      this.openedBy.approvals.push(approval.key)
    }
    if (gathered.isEmpty()) return lock.passphrase === undefined ? undefined : this.withPassphrase(number, lock, lock.passphrase)
    if (!gathered.isEnough()) throw this.lacking(number, gathered.count())
    return gathered.join()
  }

  /** What one of the keys finds in its slots. In the open there is one slot for a key, and it has to open. */
  private async inASlot(number: number, key: PrivateKey): Promise<Uint8Array | undefined> {
    const info = concat(label('encl/1 slot'), this.manifest.id, u16(number))
    for (const slot of keySlots(this.manifest, number)) {
      if (!this.mightFit(key, slot)) continue
      const plain = await key.open(slot.enc, info, slot.ct)
      if (plain !== undefined) return plain
      if (!this.manifest.policy.private) throw new EnvelopeError('slot', 'the slot of my key does not open')
    }
    return undefined
  }

  /** An approval that counts has to open. */
  private async inAnApproval(approval: Approval): Promise<Uint8Array> {
    const key = this.keyring.keys.find(one => one.id === approval.key)
    const info = concat(label('encl/1 approval'), this.manifest.id, u16(approval.lock))
    const plain = await key?.open(approval.enc, info, approval.ct)
    if (plain === undefined) throw new EnvelopeError('slot', 'an approval does not open')
    return plain
  }

  private async withPassphrase(number: number, lock: Lock, cost: number): Promise<Uint8Array> {
    if (this.keyring.passphrase === undefined) throw new EnvelopeError('locked', 'it asks for a passphrase', { cost })
    const words = normalized(this.keyring.passphrase)
    if (words === undefined) throw new EnvelopeError('passphrase', 'its length is that of no passphrase')
    const slot = this.manifest.slots.find(one => one.kind === 'passphrase' && one.lock === number)
    if (slot?.kind !== 'passphrase') throw new Error('line 3 was judged to have it')
    const key = await this.keyring.argon2(words, slot.salt, cost)
    const context = concat(label('encl/1 passphrase'), this.manifest.id, u16(number))
    const secret = await openMessage(slot.ct, key, context)
    if (secret === undefined) throw new EnvelopeError('passphrase', 'the slot does not open')
    const commit = sha(label('encl/1 passphrase commit'), slot.salt, key, secret)
    const isAuthors = lock.passphrase_commit === undefined || equal(commit, lock.passphrase_commit)
    if (!isSecret(secret, lock) || !isAuthors) throw new EnvelopeError('slot', 'the slot of the passphrase is not that of the author')
    this.openedBy.slots.push({ lock: number, key: 'passphrase' })
    return secret
  }

  /** The lock of the gates, when all others are open: by slots of people who help, and by approvals. */
  private async gateLock(lock: Lock): Promise<Uint8Array> {
    const number = this.manifest.policy.locks.length - 1
    const gathered = new Gathered(lock)
    for (const key of this.keyring.keys) {
      for (const gate of this.gatesOf(key)) {
        if (!gathered.isEnough()) gathered.take(await this.inAGateSlot(key, gate, lock))
      }
    }
    for (const approval of this.approvalsFor(number)) {
      if (!gathered.isEnough()) gathered.take(await this.inAnApproval(approval))
    }
    if (!gathered.isEnough()) throw this.lacking(number, gathered.count())
    return gathered.join()
  }

  /** It has to hold the part of that gate, and not the share of another one. */
  private async inAGateSlot(key: PrivateKey, gate: number, lock: Lock): Promise<Uint8Array> {
    const slot = this.manifest.slots.find(one => one.kind === 'gate' && one.gate === gate)
    const ticket = this.manifest.gate?.ticket
    if (slot?.kind !== 'gate' || ticket === undefined) throw new Error('line 3 was judged to have it')
    const part = await key.open(slot.enc, concat(label('encl/1 gate slot'), ticket, new Uint8Array([gate])), slot.ct)
    if (part === undefined || !isPart(part, gate, lock)) throw new EnvelopeError('slot', 'my slot of the gate lock')
    return part
  }
}

function isPart(part: Uint8Array, gate: number, lock: Lock): boolean {
  if (lock.shares === undefined) return isSecret(part, lock)
  return part.length === 33 && part[0] === gate + 1 && isShare(part, lock.shares[gate])
}

/** Whether an approval counts in this envelope. */
export function isUsable(approval: Approval, manifest: Manifest, keys: readonly PrivateKey[]): boolean {
  const isHere = approval.policy === hex(manifest.id) && approval.lock < manifest.policy.locks.length
  return isHere && keys.some(key => key.id === approval.key)
}
