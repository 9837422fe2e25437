// What the envelope says of itself before it is opened, in words. None of it is verified, and the heading above says so.

import { fingerprintOf } from '../../lib/bytes.ts'
import type { Claim, ClaimedLock } from '../../lib/mod.ts'
import { fact, say } from '../dom.ts'
import { nameOf, person } from '../words/people.ts'
import { exact, foreign, type Said } from '../words/said.ts'
import { size, texts, when } from '../words/texts.ts'

/** More names than these are only counted. */
const NAMES_MAX = 12

export function showClaim(list: HTMLElement, claim: Claim): void {
  list.replaceChildren()
  for (const lock of claim.locks) fact(list, lock.kind === 'gate' ? texts.forGate : texts.forWhom, people(lock, claim))
  if (claim.created !== undefined) fact(list, texts.madeOn, when(claim.created))
  if (claim.notBefore !== undefined) fact(list, texts.mayOpenFrom, when(claim.notBefore))
  if (claim.expires !== undefined) fact(list, texts.mayOpenUntil, when(claim.expires))
  fact(list, texts.signing, claim.signed ? texts.claimSigned : texts.claimUnsigned)
  for (const [name, value] of claim.labels) fact(list, [`${texts.label}: `, foreign(name)], [foreign(value)])
  fact(list, texts.size, size(claim.bytes))
}

/** Names of those who could help, for a sentence. */
export function recipientNames(claim: Claim): Said[] {
  return claim.locks.flatMap((lock) => lock.recipients.map(nameOf))
}

function people(lock: ClaimedLock, claim: Claim): HTMLElement {
  const list = document.createElement('ul')
  for (const said of linesOf(lock, claim)) {
    const line = document.createElement('li')
    say(line, said)
    list.append(line)
  }
  return list
}

function linesOf(lock: ClaimedLock, claim: Claim): Said[] {
  if (lock.kind === 'gate') return gatesOf(lock)
  const shown = lock.recipients.slice(0, NAMES_MAX)
  const lines: Said[] = shown.map(person)
  const more = lock.recipients.length - shown.length
  if (lock.need > 1) lines.unshift([texts.together(lock.need, lock.of)])
  if (more > 0) lines.push([texts.andMore(more)])
  if (claim.private && claim.slots.x25519 + claim.slots.xwing > 0) lines.push([texts.forPrivate])
  if (lock.passphraseCost !== undefined) lines.push([lines.length > 0 ? texts.forOr : texts.forPassphrase])
  return lines.length > 0 ? lines : [[texts.forNobodyNamed]]
}

function gatesOf({ gates, need, of }: ClaimedLock): Said[] {
  const lines = gates.map(({ kind, name, url, id }): Said => {
    const who: Said = name !== undefined ? nameOf({ name }) : [url !== undefined ? foreign(url) : exact(fingerprintOf(id))]
    return [...who, ` (${kind === 'server' ? texts.aServer : texts.aPerson})`]
  })
  return of > 1 ? [[texts.together(need, of)], ...lines] : lines
}

/** Whether a server has to be asked. People who are gates give approvals, or have key files. */
export function needsServer(claim: Claim): boolean {
  return claim.locks.some(({ gates, need }) => gates.length > 0 && gates.filter((gate) => gate.kind === 'person').length < need)
}
