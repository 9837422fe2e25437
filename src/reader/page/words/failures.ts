// One sentence for each way in which opening can end, and whether it can be mended beside the fields.

import type { Failed } from '../messages.ts'
import { nameOf } from './people.ts'
import type { Said } from './said.ts'
import { memory, now, texts, when } from './texts.ts'

declare const VERSION: string

/** No passphrase costs less. */
const COST_LEAST = 16

/** The names of what was given, to say which of them is meant. */
export interface Given {
  readonly envelope: string
  readonly identity: readonly string[]
  readonly card: readonly string[]
  readonly approval: readonly string[]
}

/** What the page says of a failure. */
export function sentence(failed: Failed, given: Given): Said {
  const { place } = failed
  const own = ownFault(failed)
  if (own) return [own]
  if (place.of === 'envelope') return ofEnvelope(failed, given.envelope)
  const name = given[place.of][place.position] ?? ''
  if (place.of === 'card') return texts.badCard(name, failed.kind)
  if (place.of === 'approval') return texts.badApproval(name, failed.kind)
  return ofKeyFile(failed, name)
}

/** Whether other secrets may help: the page stays where they are typed. */
export function canBeMended({ kind, place }: Failed): boolean {
  return place.of !== 'envelope' || ['passphrase', 'no-key', 'quorum', 'locked'].includes(kind)
}

/** What is wrong with the page, the browser or the disk, whatever was being read. */
function ownFault({ kind, detail }: Failed): string | undefined {
  switch (kind) {
    case 'unreadable':
      return texts.unreadable
    case 'no-memory':
      return texts.noMemory(memory(detail?.cost ?? COST_LEAST))
    case 'no-wasm':
      return texts.noWasm
    case 'no-crypto':
      return texts.insecure
    case 'no-store':
      return texts.noStore
    case 'broken':
      return texts.broken
    case 'newer':
      return texts.newer(VERSION)
    default:
      return undefined
  }
}

function ofEnvelope(failed: Failed, name: string): Said {
  const { kind, detail } = failed
  switch (kind) {
    case 'not-an-envelope':
      return texts.notEnvelope(name)
    case 'passphrase':
      return [texts.wrongPassphrase]
    case 'locked':
      return [texts.nothingGiven]
    case 'no-key':
      return texts.noKey((detail?.people ?? []).map(nameOf))
    case 'quorum':
      return texts.quorum(detail?.have ?? 0, detail?.need ?? 2, (detail?.people ?? []).map(nameOf))
    case 'gate':
      return [texts.gate]
    case 'refused':
      return [refused(failed)]
    case 'signature':
      return [texts.signatureWrong]
    case 'slot':
    case 'header':
      return [texts.changed(kind)]
    default:
      return [kind === 'damaged' ? texts.damagedBare : texts.damaged(kind)]
  }
}

function refused({ detail }: Failed): string {
  const clock = when(now())
  if (detail?.notBefore !== undefined) return texts.refusedFrom(when(detail.notBefore), clock)
  return texts.refusedUntil(when(detail?.expires ?? ''), clock)
}

function ofKeyFile({ kind }: Failed, name: string): Said {
  if (kind === 'passphrase') return texts.wrongKeyPassphrase(name)
  if (kind === 'locked') return [texts.keyLocked]
  if (kind === 'not-an-identity' || kind === 'not-an-envelope') return texts.notKeyFile(name)
  return texts.badKeyFile(name, kind)
}
