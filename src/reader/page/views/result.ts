// What is certain once the envelope was opened: that it is whole, who sealed it, and how its reader got in.

import type { Card, Opened } from '../../lib/mod.ts'
import { announce, element, fact, foreignText, forget, note, say, turnTo } from '../dom.ts'
import { ending, saveName } from '../words/names.ts'
import { nameOf, person, type Named } from '../words/people.ts'
import { exact, foreign, type Said } from '../words/said.ts'
import { size, texts, when } from '../words/texts.ts'
import { forgetKeyPassphrases } from './key_files.ts'
import type { About } from './opening.ts'
import { forgetSaving, offerSaving } from './saving.ts'

export function showResult(opened: Opened, blob: Blob | undefined, about: About): void {
  forget('passphrase')
  forgetKeyPassphrases()
  const name = fileNameOf(opened, about.envelope.name)
  const list = element('facts')
  list.replaceChildren()
  say(element('verdict'), verdict(opened))
  showContent(list, opened, name)
  showSigner(list, opened)
  showAccess(list, opened)
  const ignored = opened.ignoredApprovals.length > 0 ? texts.ignoredApprovals : undefined
  note(element('result-note'), ignored, 'care')
  offerSaving(opened, blob, name, about.envelope.file)
  turnTo('result')
  announce([`${texts.whole}. `, ...verdict(opened)])
}

/** A message, or a part of one with its header, is saved as mail programs take it, whatever its name says. */
function fileNameOf(opened: Opened, outer: string): string {
  const name = saveName(opened.name, outer)
  return opened.kind !== 'file' && ending(name) !== 'eml' ? `${name}.eml` : name
}

/** A card's name, with the address that is shown beside it. */
function named({ name, addresses: [address] }: Card): Named {
  return { name, ...(address !== undefined && { address }) }
}

/** Who sealed it, in one sentence. */
function verdict({ signer, openedWith }: Opened): Said {
  if (signer?.card) return texts.signedBy(nameOf(named(signer.card)))
  if (signer) return [texts.signedUnknown]
  return [openedWith === 'passphrase' ? texts.sealedBySomebody : texts.notSigned]
}

function showContent(list: HTMLElement, opened: Opened, name: string): void {
  fact(list, texts.file, withEnding(name), size(opened.bytes))
  if (opened.subject !== undefined) fact(list, texts.subject, [foreign(opened.subject)])
  if (opened.created !== undefined) fact(list, texts.madeOn, when(opened.created))
  for (const [label, value] of opened.labels) fact(list, [`${texts.label}: `, foreign(label)], [foreign(value)])
}

/** The name with its ending underlined: what a file is to a computer stands there. */
function withEnding(name: string): HTMLElement {
  const end = ending(name)
  const whole = foreignText(end === '' ? name : name.slice(0, -end.length - 1), 'name')
  if (end !== '') whole.append(foreignText(`.${name.slice(-end.length)}`, 'ending'))
  return whole
}

function showSigner(list: HTMLElement, { signer }: Opened): void {
  element('compare').hidden = !signer
  if (!signer) return
  const { card } = signer
  const who = card ? person(named(card)) : [texts.unknownKey]
  fact(list, texts.signer, who)
  fact(list, texts.fingerprint, [exact(signer.fingerprint)])
}

function showAccess(list: HTMLElement, { openedWith, admission }: Opened): void {
  const byPassphrase = openedWith === 'passphrase'
  fact(list, texts.openedWith, { key: texts.withKey, passphrase: texts.withPassphrase, quorum: texts.withQuorum }[openedWith])
  const words = {
    named: byPassphrase ? texts.namedPassphrase : texts.named,
    granted: texts.granted,
    unrecorded: byPassphrase ? texts.unrecordedPassphrase : texts.unrecorded,
  }
  fact(list, texts.access, words[admission])
}

/** Takes content and names out of the page. */
export function forgetResult(): void {
  element('facts').replaceChildren()
  forgetSaving()
}
