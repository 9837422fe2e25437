// What the envelope says of itself before it is opened, in words. None of it is verified, and the heading above says so.

import type { Claim, ClaimedLock, ClaimedRecipient } from '../../lib/mod.ts'
import { fact, foreignText, say } from '../dom.ts'
import { foreign, type Piece, type Said } from '../words/said.ts'
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
export function recipientNames(claim: Claim): string[] {
  return claim.locks.flatMap((lock) => lock.recipients.map((recipient) => recipient.name))
}

function people(lock: ClaimedLock, claim: Claim): HTMLElement {
  const list = document.createElement('ul')
  for (const said of linesOf(lock, claim)) {
    const line = document.createElement('li')
    if (said instanceof HTMLElement) line.append(said)
    else say(line, said)
    list.append(line)
  }
  return list
}

function linesOf(lock: ClaimedLock, claim: Claim): (Said | HTMLElement)[] {
  if (lock.kind === 'gate') return lock.gates.map((gate) => foreignText(gate.name ?? gate.url ?? gate.id))
  const shown = lock.recipients.slice(0, NAMES_MAX)
  const lines: Said[] = shown.map(named)
  const more = lock.recipients.length - shown.length
  if (lock.need > 1) lines.unshift([texts.together(lock.need, lock.of)])
  if (more > 0) lines.push([texts.andMore(more)])
  if (claim.private && claim.keyPossible) lines.push([texts.forPrivate])
  if (lock.passphraseCost !== undefined) lines.push([lines.length > 0 ? texts.forOr : texts.forPassphrase])
  return lines.length > 0 ? lines : [[texts.forNobodyNamed]]
}

function named({ name, address }: ClaimedRecipient): Piece[] {
  return address === undefined ? [foreign(name)] : [foreign(name), ' ', foreign(`<${address}>`)]
}
