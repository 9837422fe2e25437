// What is needed to open the envelope: a passphrase or a key file, and beside them cards and approvals.

import { hasWasm, PLAIN_COST_MAX } from '../../lib/crypto/wasm.ts'
import type { Claim } from '../../lib/mod.ts'
import { small, type Envelope, type Small, type Sorted } from '../chosen.ts'
import { stop } from '../client.ts'
import { announce, element, forget, note, say, show, showsTyping, turnTo } from '../dom.ts'
import type { OpenRequest } from '../messages.ts'
import { foreign, listed, type Said } from '../words/said.ts'
import { memory, now, texts } from '../words/texts.ts'
import { needsServer, recipientNames, showClaim } from './claim.ts'
import {
  addKeyFile,
  begin as beginKeyFiles,
  emptyField,
  forgetKeyFiles,
  forgetKeyPassphrases,
  keyFileNames,
  passphraseFields,
  readKeyFiles,
  usedKeyFiles,
  type UsedKeyFiles,
} from './key_files.ts'
import { openAndShow } from './opening.ts'
import { forgetResult } from './result.ts'
import { howToKeep } from './saving.ts'

/** From this cost on phones have too little memory. */
const COST_OF_COMPUTERS = 19

interface Asked {
  readonly envelope: Envelope
  readonly claim: Claim
}

let asked: Asked | undefined
let cards: Small[] = []
let approvals: Small[] = []

/** Makes the fields work; `take` sorts files that were added. */
export function begin(take: (files: File[]) => void): void {
  showsTyping('passphrase-show', 'passphrase')
  beginKeyFiles()
  const [keyField, extras] = [element<HTMLInputElement>('key-file'), element<HTMLInputElement>('extras-file')]
  keyField.addEventListener('change', () => chosen(keyField))
  extras.addEventListener('change', () => take([...(extras.files ?? [])]))
  element('secrets').addEventListener('submit', (event) => {
    event.preventDefault()
    void submit()
  })
}

/** Shows the claim and asks for what this envelope can be opened with. */
export function askForSecrets(envelope: Envelope, claim: Claim): void {
  asked = { envelope, claim }
  forget('passphrase')
  forgetKeyPassphrases()
  forgetResult()
  say(element('asking-name'), [foreign(envelope.name)])
  showClaim(element('claim'), claim)
  const hasPassphrase = claim.passphraseCost !== undefined
  show(element('passphrase-part'), hasPassphrase)
  const noPassphrase = !hasPassphrase && howToKeep(claim) !== 'too-large'
  note(element('no-passphrase'), noPassphrase ? texts.noPassphrase(recipientNames(claim)) : undefined)
  show(element('key-part'), claim.keyPossible)
  element<HTMLDetailsElement>('key-part').open = !hasPassphrase || keyFileNames().length > 0
  // Where there is no other way it is no choice.
  show(element('key-instead'), hasPassphrase)
  note(element('asking-note'), ...hint(claim))
  show(element('secrets'), howToKeep(claim) !== 'too-large')
  turnTo('asking')
  if (keyFileNames().length > 0) void takeKeyFiles()
  else if (hasPassphrase) element('passphrase').focus()
  showAdded()
}

/** What is worth knowing before a passphrase is typed. */
function hint(claim: Claim): [Said | undefined, 'bad' | 'care'] {
  const cost = claim.passphraseCost ?? 0
  if (howToKeep(claim) === 'too-large') return [[texts.tooLarge], 'bad']
  if (needsServer(claim)) return [[texts.needsServer], 'care']
  if (cost >= COST_OF_COMPUTERS && hasWasm()) return [[texts.needsMemory(memory(cost))], 'care']
  if (cost === 0 || hasWasm()) return [undefined, 'care']
  return cost > PLAIN_COST_MAX ? [[texts.noWasm], 'bad'] : [[texts.slowArgon], 'care']
}

/** Keeps key files, cards and approvals that came by a drop. Gives the name of one of them. */
export function addExtras(found: Sorted): string | undefined {
  cards = [...cards, ...found.cards]
  approvals = [...approvals, ...found.approvals]
  found.keyFiles.forEach(addKeyFile)
  if (found.keyFiles.length > 0) void takeKeyFiles()
  showAdded()
  return (found.keyFiles[0] ?? found.cards[0] ?? found.approvals[0])?.name
}

function chosen(field: HTMLInputElement): void {
  const [file] = field.files ?? []
  if (!file) return
  const take = (found: Small): Promise<void> => {
    addKeyFile(found)
    return takeKeyFiles()
  }
  small(file).then(take, () => note(element('asking-note'), texts.unreadable, 'bad'))
}

/** Reads the key files that came, and shows the fields for their passphrases. */
async function takeKeyFiles(): Promise<void> {
  element<HTMLDetailsElement>('key-part').open = true
  showAdded()
  const fault = await readKeyFiles()
  showAdded()
  const isAsking = !element('asking').hidden
  if (fault) {
    note(element(isAsking ? 'asking-note' : 'choose-note'), fault, 'bad')
    announce(fault)
    return
  }
  if (!isAsking) return
  const field = emptyField()
  if (field !== undefined) element(field).focus()
}

function showAdded(): void {
  const names = [...keyFileNames(), ...namesOf(cards), ...namesOf(approvals)]
  note(element('added'), names.length > 0 ? [`${texts.added} `, ...listed(names.map((name) => [foreign(name)]))] : undefined)
}

function namesOf(files: readonly Small[]): string[] {
  return files.map((file) => file.name)
}

async function submit(): Promise<void> {
  const form = element('secrets')
  if (!asked || form.ariaBusy === 'true') return
  const { envelope, claim } = asked
  // Reading them may not have ended, or have been stopped by another question.
  form.ariaBusy = 'true'
  const fault = await readKeyFiles()
  form.ariaBusy = 'false'
  if (fault) return complain(fault, 'key-file')
  const keys = usedKeyFiles()
  const passphrase = element<HTMLInputElement>('passphrase').value
  const missing = whatIsMissing(claim, passphrase, keys)
  if (missing) return complain([missing.says], missing.field)
  const request: OpenRequest = {
    ask: 'open',
    source: envelope.source,
    keyFiles: keys.files,
    cards: cards.map((card) => card.bytes),
    approvals: approvals.map((approval) => approval.bytes),
    ...(passphrase !== '' && { passphrase }),
    now: now(),
    keep: howToKeep(claim) === 'picker' ? 'nothing' : 'pieces',
  }
  note(element('asking-note'))
  markWrong()
  const given = { envelope: envelope.name, identity: keys.names, card: namesOf(cards), approval: namesOf(approvals) }
  await openAndShow(request, { envelope, claim, given, keyFields: keys.fields }, complain)
}

function whatIsMissing(claim: Claim, passphrase: string, { files, missing }: UsedKeyFiles): { says: string; field: string } | undefined {
  if (passphrase !== '' || files.length > 0) return undefined
  if (missing !== undefined) return { says: texts.keyLocked, field: missing }
  if (approvals.length > 0) return undefined
  if (claim.passphraseCost === undefined) return { says: texts.keyNeeded, field: 'key-file' }
  return { says: claim.keyPossible ? texts.nothingGiven : texts.passphraseNeeded, field: 'passphrase' }
}

/** Says beside the fields what other secrets may mend, and puts the focus there. */
function complain(said: Said, field: string): void {
  turnTo('asking')
  element(field).closest('details')?.setAttribute('open', '')
  note(element('asking-note'), said, 'bad')
  markWrong(field)
  const input = element<HTMLInputElement>(field)
  input.focus()
  if (input.type !== 'file') input.select()
  announce(said)
}

function markWrong(field?: string): void {
  for (const id of ['passphrase', 'key-file', ...passphraseFields()]) {
    if (id === field) element(id).setAttribute('aria-invalid', 'true')
    else element(id).removeAttribute('aria-invalid')
  }
}

/** Forgets everything that was chosen and typed, and ends the worker, which knows it too. */
export function forgetAll(): void {
  stop()
  forget('passphrase')
  forgetKeyFiles()
  for (const id of ['key-file', 'extras-file']) element<HTMLInputElement>(id).value = ''
  asked = undefined
  cards = []
  approvals = []
  note(element('asking-note'))
  markWrong()
  forgetResult()
}
