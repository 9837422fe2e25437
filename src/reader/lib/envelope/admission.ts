// Who let the reader in: FORMAT.md, "Grants and admission". It is shown, and is no error.

import { concat, fromHex, lengthPrefixed, u16 } from '../bytes.ts'
import { verifies } from '../crypto/signing.ts'
import type { KeySlot } from './access_line.ts'
import { type Manifest, keySlots } from './manifest.ts'
import { locksOfPeople } from './policy_line.ts'
import type { PrivateLine } from './private_line.ts'
import type { OpenedBy } from './unlock.ts'

/** How the reader got in. */
export type Admission = 'named' | 'granted' | 'unrecorded'

const PATH_MAX = 16

/** The worst of all that opened a lock. */
export function admissionOf(manifest: Manifest, privateLine: PrivateLine, openedBy: OpenedBy): Admission {
  const lists = privateLine.recipients ?? locksOfPeople(manifest.policy).map(lock => lock.recipients ?? [])
  if (openedBy.slots.length === 0) {
    const named = new Set(lists.flat().map(one => one.key))
    return openedBy.approvals.every(key => named.has(key)) ? 'named' : 'unrecorded'
  }
  const found = openedBy.slots.map(({ lock, key }): Admission => {
    if (key === 'passphrase') return manifest.policy.locks[lock]?.passphrase_commit === undefined ? 'unrecorded' : 'named'
    if (lists[lock]?.some(one => one.key === key)) return 'named'
    return !manifest.policy.private && isGranted(manifest, lock, key) ? 'granted' : 'unrecorded'
  })
  if (found.includes('unrecorded')) return 'unrecorded'
  return found.includes('granted') ? 'granted' : 'named'
}

/** Whether a path leads from the slot to the author's choice. Each slot is used once, so each signature is checked once at most. */
function isGranted(manifest: Manifest, lock: number, key: string): boolean {
  const own = keySlots(manifest, lock).find(slot => slot.key === key)
  const authors = new Set(locksOfPeople(manifest.policy).flatMap(one => (one.recipients ?? []).map(person => person.id)))
  if (manifest.policy.signer !== undefined) authors.add(manifest.policy.signer)
  const granted = manifest.slots.filter((slot): slot is KeySlot => slot.kind === 'key' && slot.grant !== undefined)
  let unused = granted.filter(slot => slot !== own)
  let layer = own === undefined ? [] : [own]
  for (let step = 0; step < PATH_MAX; step++) {
    const grants = layer.filter(slot => holds(slot, manifest.id)).flatMap(slot => slot.grant ?? [])
    const sought = new Set(grants.map(grant => grant.by))
    if ([...sought].some(by => authors.has(by))) return true
    const isSought = (slot: KeySlot) => slot.grant !== undefined && sought.has(slot.grant.id)
    layer = unused.filter(isSought)
    unused = unused.filter(slot => !isSought(slot))
    if (layer.length === 0) return false
  }
  return false
}

function holds(slot: KeySlot, id: Uint8Array): boolean {
  const { grant, key } = slot
  if (grant === undefined || key === undefined) return false
  const texts = [grant.at, grant.name, grant.address ?? ''].map(lengthPrefixed)
  const message = concat(id, u16(slot.lock), fromHex(key), fromHex(grant.id), ...texts)
  return verifies(fromHex(grant.by), 'grant', message, grant.sig)
}
