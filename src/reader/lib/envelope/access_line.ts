// Line 3: the slots, and the passes of a gate lock.

import { malformed, require } from '../error.ts'
import { listOf, members, type Table } from '../json/members.ts'
import { type Json, parse } from '../json/scan.ts'
import { base64, id, number, time } from '../json/values.ts'
import { PERSON, type Policy, gateLock } from './policy_line.ts'

export const ACCESS_BYTES_MAX = 40 << 20
const SLOTS_MAX = 16_384
const PASSPHRASE_CT_BYTES = 104

interface Grant {
  name: string
  address?: string
  id: string
  by: string
  at: string
  sig: Uint8Array
}

export interface KeySlot {
  kind: 'key'
  lock: number
  /** Hexadecimal; absent when private. */
  key?: string
  enc: Uint8Array
  ct: Uint8Array
  grant?: Grant
}

interface PassphraseSlot {
  kind: 'passphrase'
  lock: number
  salt: Uint8Array
  ct: Uint8Array
}

interface GateSlot {
  kind: 'gate'
  lock: number
  gate: number
  enc: Uint8Array
  ct: Uint8Array
}

export type Slot = KeySlot | PassphraseSlot | GateSlot

interface AnySlot {
  lock: number
  key?: string
  enc?: Uint8Array
  ct: Uint8Array
  grant?: Grant
  salt?: Uint8Array
  gate?: number
}

const GRANT: Table<Grant> = { ...PERSON, by: id, at: time, sig: base64(64) }

function grant(value: Json): Grant {
  return members(value, GRANT, ['name', 'id', 'by', 'at', 'sig'])
}

/** Step 3 for line 3. The passes are for who asks servers, and are judged for their form only. */
export function parseAccess(line: string, policy: Policy): Slot[] {
  const table: Table<AnySlot> = {
    lock: number(0, policy.locks.length - 1),
    key: id,
    enc: base64(32, 1120),
    ct: base64(48, 49, PASSPHRASE_CT_BYTES),
    grant,
    salt: base64(16),
    gate: number(0, 7),
  }
  const lineTable: Table<{ slots: Slot[]; passes?: Uint8Array[] }> = {
    slots: listOf(SLOTS_MAX, one => slot(members(one, table, ['lock', 'ct']))),
    passes: listOf(SLOTS_MAX, base64(80)),
  }
  const access = members(parse(line), lineTable, ['slots'])
  for (const one of access.slots) checkSlot(one, policy)
  checkSet(access.slots, policy)
  const hasMembers = gateLock(policy)?.members !== undefined
  require((access.passes !== undefined) === hasMembers, 'passes stand where they are not due, or are missing')
  return access.slots
}

/** Tells by its members what a slot is for, as it closes. */
function slot(found: AnySlot): Slot {
  const { lock, key, enc, ct, grant, salt, gate } = found
  if (gate !== undefined) {
    const isBare = key === undefined && grant === undefined && salt === undefined
    if (enc === undefined || !isBare) throw malformed('a gate slot of another shape')
    return { kind: 'gate', lock, gate, enc, ct }
  }
  if (salt !== undefined) {
    const isBare = key === undefined && grant === undefined && enc === undefined
    require(isBare && ct.length === PASSPHRASE_CT_BYTES, 'a passphrase slot of another shape')
    return { kind: 'passphrase', lock, salt, ct }
  }
  if (enc === undefined) throw malformed('a slot without enc')
  return { kind: 'key', lock, enc, ct, ...(key !== undefined && { key }), ...(grant !== undefined && { grant }) }
}

function checkSlot(slot: Slot, policy: Policy): void {
  const lock = policy.locks[slot.lock]
  if (lock === undefined) throw malformed('a slot of no lock')
  if (slot.kind === 'passphrase') {
    require(lock.passphrase !== undefined, 'a passphrase slot where the lock has no passphrase')
    return
  }
  require((slot.kind === 'gate') === (lock.kind === 'gate'), 'a slot of the other kind')
  require(slot.ct.length === (lock.need > 1 ? 49 : 48), 'ct has not the length for the need of its lock')
  if (slot.kind === 'gate') {
    require(slot.gate < (lock.gates?.length ?? 0), 'a slot for a gate that the lock has not')
    return
  }
  require((slot.key !== undefined) !== policy.private, 'key stands where it is not due, or is missing')
  require(!policy.private || slot.grant === undefined, 'a grant in a private envelope')
}

/** No slot twice, and those that are due. */
function checkSet(slots: readonly Slot[], policy: Policy): void {
  const seen = new Set<string>()
  for (const slot of slots) {
    const mark = markOf(slot)
    if (mark === undefined) continue
    require(!seen.has(mark), 'two slots for one key, passphrase or gate')
    seen.add(mark)
  }
  policy.locks.forEach((lock, at) => {
    require(lock.passphrase === undefined || seen.has(`${at} passphrase`), 'a lock without its passphrase slot')
    lock.gates?.forEach((_, gate) => require(seen.has(`${at} gate ${gate}`), 'a gate without its slot'))
  })
}

/** What only one slot may be for. A private key slot does not show it. */
function markOf(slot: Slot): string | undefined {
  if (slot.kind === 'passphrase') return `${slot.lock} passphrase`
  if (slot.kind === 'gate') return `${slot.lock} gate ${slot.gate}`
  return slot.key === undefined ? undefined : `${slot.lock} key ${slot.key}`
}
