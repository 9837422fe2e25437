// Line 2: the policy.

import { byteLength, utf8 } from '../bytes.ts'
import { EnvelopeError, require } from '../error.ts'
import { distinct, listOf, members, type Table } from '../json/members.ts'
import { type Json, JsonObject, parse } from '../json/scan.ts'
import { base64, boolean, id, number, text, time, word } from '../json/values.ts'

export const POLICY_BYTES_MAX = 8 << 20
const RECIPIENTS_MAX = 16_384
export const LOCKS_MAX = 8
const GATE_LOCK_BYTES_MAX = 8192

/** Ids and keys are hexadecimal. */
export interface Recipient {
  name: string
  address?: string
  id: string
  key: string
}

interface Gate {
  kind: 'server' | 'person'
  id: string
  key: string
  name?: string
  url?: string
}

interface AnyLock {
  kind: 'recipients' | 'gate'
  need: number
  commit: Uint8Array
  shares?: Uint8Array[]
  passphrase?: number
  passphrase_commit?: Uint8Array
  recipients?: Recipient[]
  gates?: Gate[]
  owners?: string[]
  holder?: Uint8Array
  members?: Uint8Array
  not_before?: string
  expires?: string
  lease?: number
}

/** `terms` are the bytes of the lock's object as they stand in line 2. */
export interface Lock extends AnyLock {
  terms: Uint8Array
}

export interface Policy {
  locks: Lock[]
  signed: boolean
  private: boolean
  padding: 'none' | 'padme'
  signer?: string
  created?: string
  not_before?: string
  expires?: string
  labels?: [string, string][]
}

export const PERSON: Table<Omit<Recipient, 'key'>> = { name: text(256), address: text(320), id }

const RECIPIENT: Table<Recipient> = { ...PERSON, key: id }

/** One lock's list, stopped at the limit of all of them. */
export const recipients = listOf(RECIPIENTS_MAX, one => members(one, RECIPIENT, ['name', 'id', 'key']))

const GATE: Table<Gate> = { kind: word('server', 'person'), id, key: id, name: text(256), url: text(255) }

const LOCK: Table<AnyLock> = {
  kind: word('recipients', 'gate'),
  need: number(1, 255),
  commit: base64(32),
  shares: listOf(255, base64(32)),
  passphrase: number(16, 20),
  passphrase_commit: base64(32),
  recipients,
  gates: listOf(8, one => members(one, GATE, ['kind', 'id', 'key'])),
  owners: listOf(16, id),
  holder: base64(32),
  members: base64(32),
  not_before: time,
  expires: time,
  lease: number(1, 2_592_000),
}

const OF_RECIPIENTS = ['passphrase', 'passphrase_commit', 'recipients'] as const
const OF_GATES = ['gates', 'owners', 'holder', 'members', 'not_before', 'expires', 'lease'] as const

/** Takes a lock and judges it as it closes. `line` is line 2, of which it is a part. */
function lock(value: Json, line: string): Lock {
  const found = members(value, LOCK, ['kind', 'need', 'commit'])
  const others = found.kind === 'gate' ? OF_RECIPIENTS : OF_GATES
  require(!others.some(name => name in found), 'a member of the other kind of lock')
  require(found.shares?.length !== 0, 'shares is empty')
  const object = value as JsonObject
  const terms = found.kind === 'gate' ? utf8(line.slice(object.start, object.end)) : new Uint8Array(0)
  if (found.kind === 'gate') {
    require(['gates', 'owners', 'holder'].every(name => name in found), 'a member of a gate lock is missing')
    require(found.gates?.length !== 0, 'gates is empty')
    if (terms.length > GATE_LOCK_BYTES_MAX) throw new EnvelopeError('over-limit', 'a gate lock')
  }
  return { ...found, terms }
}

function labels(value: Json): [string, string][] {
  require(value instanceof JsonObject, 'something else where an object is due')
  require(value.members.length > 0, 'labels is empty')
  const taken = text(4096)
  return value.members.map(([name, item]) => {
    if (byteLength(name) > 64) throw new EnvelopeError('over-limit', 'the name of a label')
    return [name, taken(item)]
  })
}

/** Step 3 for line 2. */
export function parsePolicy(line: string): Policy {
  const table: Table<Policy> = {
    locks: listOf(LOCKS_MAX, one => lock(one, line)),
    signed: boolean,
    private: boolean,
    padding: word('none', 'padme'),
    signer: id,
    created: time,
    not_before: time,
    expires: time,
    labels,
  }
  const policy = members(parse(line), table, ['locks', 'signed', 'private', 'padding'])
  require(policy.locks.length > 0, 'no lock')
  require(('signer' in policy) === (policy.signed && !policy.private), 'signer stands where it is not due, or is missing')
  require(policy.locks.filter(one => 'passphrase' in one).length <= 1, 'two locks with a passphrase')
  policy.locks.forEach((one, at) => checkLock(one, at, policy))
  checkCount(policy.locks.map(one => one.recipients ?? []))
  return policy
}

/** The rules between members of one lock. */
function checkLock(lock: Lock, at: number, policy: Policy): void {
  require((lock.shares !== undefined) === lock.need > 1, 'shares stand where they are not due, or are missing')
  require(lock.shares === undefined || lock.need <= lock.shares.length, 'need is more than there are shares')
  if (lock.kind === 'gate') {
    checkGates(lock, policy.private)
    require(at > 0 && at === policy.locks.length - 1, 'a gate lock that is not the last one, or the only one')
    return
  }
  require(lock.need === 1 || lock.passphrase === undefined, 'a passphrase where several are needed')
  require(lock.passphrase !== undefined || lock.passphrase_commit === undefined, 'passphrase_commit without a passphrase')
  require((lock.recipients !== undefined) !== policy.private, 'recipients stand where they are not due, or are missing')
  if (lock.recipients !== undefined) checkList(lock, lock.recipients)
}

function checkGates(lock: Lock, isPrivate: boolean): void {
  const gates = lock.gates ?? []
  require(lock.shares === undefined || gates.length === lock.shares.length, 'not one gate for each share')
  distinct(gates.map(one => one.id), 'a gate')
  distinct(gates.map(one => one.key), 'a key')
  distinct(lock.owners ?? [], 'an owner')
  require(!isPrivate || !gates.some(one => 'name' in one || 'url' in one), 'the name of a gate in a private envelope')
}

/** The rules of one list, in line 2 or in the private line. */
export function checkList(lock: Lock, people: readonly Recipient[]): void {
  distinct(people.map(one => one.key), 'a key')
  require(people.length > 0 || lock.passphrase !== undefined, 'a lock for nobody')
  if (lock.shares === undefined) return
  require(people.length === lock.shares.length, 'not one recipient for each share')
  distinct(people.map(one => one.id), 'a person')
}

export function checkCount(lists: readonly (readonly Recipient[])[]): void {
  const count = lists.reduce((sum, list) => sum + list.length, 0)
  if (count > RECIPIENTS_MAX) throw new EnvelopeError('over-limit', `more than ${RECIPIENTS_MAX} recipients`)
}

/** The locks that people open, which stand in front of that of the gates. */
export function locksOfPeople(policy: Policy): Lock[] {
  return policy.locks.filter(one => one.kind === 'recipients')
}

/** The lock of the gates, which is the last. */
export function gateLock(policy: Policy): Lock | undefined {
  return policy.locks.find(one => one.kind === 'gate')
}
