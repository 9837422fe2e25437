// Lines 1 to 4: steps 1 to 3 of reading.

import { fromBase64 } from '../base64.ts'
import { concat, label, u16, utf8 } from '../bytes.ts'
import { malformed } from '../error.ts'
import { sha } from '../crypto/hash.ts'
import { textOf } from '../json/scan.ts'
import { ACCESS_BYTES_MAX, type KeySlot, type Slot, parseAccess } from './access_line.ts'
import { type Lock, POLICY_BYTES_MAX, type Policy, gateLock, parsePolicy } from './policy_line.ts'
import { recognise } from '../input/recognise.ts'
import type { FileSource, Reading } from '../input/source.ts'

const MAC_CHARACTERS = 44
const LINE_1 = utf8('encl/1\n')
const LF = utf8('\n')

/** The lock of the gates, with what binds it to its envelope. */
interface GateLock {
  readonly lock: Lock
  /** T of FORMAT.md. */
  readonly ticket: Uint8Array
}

/** What stands in front of the payload. It is a claim until step 6. */
export interface Manifest {
  readonly policy: Policy
  readonly slots: readonly Slot[]
  readonly gate: GateLock | undefined
  /** P, the envelope's id. */
  readonly id: Uint8Array
  /** A. */
  readonly accessHash: Uint8Array
  readonly mac: Uint8Array
  /** Of lines 1 to 4 with their line feeds, without armor. */
  readonly bytes: number
  readonly isArmored: boolean
  /** The payload. */
  readonly reading: Reading
}

export async function readManifest(source: FileSource): Promise<Manifest> {
  const { reading, isArmored } = await recognise(source)
  const line2 = await reading.line(POLICY_BYTES_MAX, 'over-limit')
  const line3 = await reading.line(ACCESS_BYTES_MAX, 'over-limit')
  const line4 = await reading.line(MAC_CHARACTERS, 'malformed')
  if (line4.length !== MAC_CHARACTERS) throw malformed('line 4 has not 44 characters')
  const policy = parsePolicy(textOf(line2))
  const slots = parseAccess(textOf(line3), policy)
  const mac = fromBase64(line4)
  if (mac?.length !== 32) throw malformed('line 4 is not base64')
  const id = sha(LINE_1, line2, LF)
  return {
    policy,
    slots,
    gate: gateOf(policy, id),
    id,
    accessHash: sha(LINE_1, line2, LF, line3, LF),
    mac,
    bytes: LINE_1.length + line2.length + line3.length + MAC_CHARACTERS + 3,
    isArmored,
    reading,
  }
}

function gateOf(policy: Policy, id: Uint8Array): GateLock | undefined {
  const lock = gateLock(policy)
  if (lock === undefined) return undefined
  const number = policy.locks.length - 1
  return { lock, ticket: sha(label('encl/1 gate ticket'), concat(id, u16(number), lock.terms)) }
}

/** The key slots of a lock, in the order of line 3. */
export function keySlots(manifest: Manifest, lock: number): KeySlot[] {
  return manifest.slots.filter((slot): slot is KeySlot => slot.kind === 'key' && slot.lock === lock)
}
