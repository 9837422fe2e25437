// What is needed to open the envelope: a passphrase or a key file, and beside them cards and approvals.

import { hasWasm, PLAIN_COST_MAX } from '../../lib/crypto/wasm.ts'
import type { Claim } from '../../lib/mod.ts'
import { small, type Envelope, type Small, type Sorted } from '../chosen.ts'
import { ask, Failure, stop, Stopped } from '../client.ts'
import { announce, element, forget, note, say, show, showsTyping, turnTo } from '../dom.ts'
import type { OpenRequest } from '../messages.ts'
import { sentence, type Given } from '../words/failures.ts'
import { foreign, listed, type Said } from '../words/said.ts'
import { memory, now, texts } from '../words/texts.ts'
import { recipientNames, showClaim } from './claim.ts'
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
let keyFile: Small | undefined
let keyIsLocked = false
let cards: Small[] = []
let approvals: Small[] = []

/** Makes the fields work; `take` sorts files that were added. */
export function begin(take: (files: File[]) => void): void {
  showsTyping('passphrase-show', 'passphrase')
  showsTyping('key-passphrase-show', 'key-passphrase')
  const [keyField, extras] = [element<HTMLInputElement>('key-file'), element<HTMLInputElement>('extras-file')]
  keyField.addEventListener('change', () => chosen(keyField, (file) => takeKeyFile(file)))
  extras.addEventListener('change', () => take([...(extras.files ?? [])]))
  element('secrets').addEventListener('submit', (event) => {
    event.preventDefault()
    submit()
  })
}

/** Shows the claim and asks for what this envelope can be opened with. */
export function askForSecrets(envelope: Envelope, claim: Claim): void {
  asked = { envelope, claim }
  forget('passphrase', 'key-passphrase')
  forgetResult()
  say(element('asking-name'), [foreign(envelope.name)])
  showClaim(element('claim'), claim)
  const hasPassphrase = claim.passphraseCost !== undefined
  show(element('passphrase-part'), hasPassphrase)
  const noPassphrase = !hasPassphrase && howToKeep(claim) !== 'too-large'
  note(element('no-passphrase'), noPassphrase ? texts.noPassphrase(recipientNames(claim)) : undefined)
  show(element('key-part'), claim.keyPossible)
  element<HTMLDetailsElement>('key-part').open = !hasPassphrase || keyFile !== undefined
  // Where there is no other way it is no choice.
  show(element('key-instead'), hasPassphrase)
  note(element('asking-note'), ...hint(claim))
  show(element('secrets'), howToKeep(claim) !== 'too-large')
  showAdded()
  turnTo('asking')
  if (hasPassphrase && !keyFile) element('passphrase').focus()
}

/** What is worth knowing before a passphrase is typed. */
function hint(claim: Claim): [Said | undefined, 'bad' | 'care'] {
  const cost = claim.passphraseCost ?? 0
  if (howToKeep(claim) === 'too-large') return [[texts.tooLarge], 'bad']
  if (cost >= COST_OF_COMPUTERS && hasWasm()) return [[texts.needsMemory(memory(cost))], 'care']
  if (cost === 0 || hasWasm()) return [undefined, 'care']
  return cost > PLAIN_COST_MAX ? [[texts.noWasm], 'bad'] : [[texts.slowArgon], 'care']
}

/** Keeps key file, cards and approvals that came by a drop. Gives the name of one of them. */
export function addExtras(found: Sorted): string | undefined {
  cards = [...cards, ...found.cards]
  approvals = [...approvals, ...found.approvals]
  const [dropped] = found.keyFiles
  if (dropped) void takeKeyFile(dropped)
  showAdded()
  return (dropped ?? found.cards[0] ?? found.approvals[0])?.name
}

function chosen(field: HTMLInputElement, take: (file: Small) => Promise<void>): void {
  const [file] = field.files ?? []
  if (!file) return
  small(file).then(take, () => note(element('asking-note'), texts.unreadable, 'bad'))
}

/** Takes a key file, and shows the field for its passphrase if it has one. */
async function takeKeyFile(file: Small): Promise<void> {
  keyFile = file
  keyIsLocked = false
  element<HTMLDetailsElement>('key-part').open = true
  const fault = await readKeyFile(file)
  if (keyFile !== file) return
  if (fault) keyFile = undefined
  note(element('asking-note'), fault, 'bad')
  show(element('key-passphrase-part'), keyIsLocked)
  showAdded()
  if (fault) announce(fault)
  else if (keyIsLocked && !element('asking').hidden) element('key-passphrase').focus()
}

async function readKeyFile(file: Small): Promise<Said | undefined> {
  try {
    await ask({ ask: 'read', as: 'identity', bytes: file.bytes }, 'read')
    return undefined
  } catch (error) {
    if (error instanceof Stopped) return undefined
    if (!(error instanceof Failure)) return [texts.broken]
    keyIsLocked = error.failed.kind === 'locked'
    return keyIsLocked ? undefined : sentence(error.failed, given())
  }
}

function showAdded(): void {
  const names = [...(keyFile ? [keyFile] : []), ...cards, ...approvals].map((file) => file.name)
  note(element('added'), names.length > 0 ? [`${texts.added} `, ...listed(names)] : undefined)
}

function given(): Given {
  const names = (files: readonly Small[]): string[] => files.map((file) => file.name)
  return {
    envelope: asked?.envelope.name ?? '',
    identity: keyFile ? [keyFile.name] : [],
    card: names(cards),
    approval: names(approvals),
  }
}

function submit(): void {
  if (!asked) return
  const { envelope, claim } = asked
  const passphrase = element<HTMLInputElement>('passphrase').value
  const keyPassphrase = element<HTMLInputElement>('key-passphrase').value
  const missing = whatIsMissing(claim, passphrase, keyPassphrase)
  if (missing) return complain([missing.says], missing.field)
  const request: OpenRequest = {
    ask: 'open',
    source: envelope.source,
    keyFiles: keyFile ? [{ bytes: keyFile.bytes, ...(keyIsLocked && { passphrase: keyPassphrase }) }] : [],
    cards: cards.map((card) => card.bytes),
    approvals: approvals.map((approval) => approval.bytes),
    ...(passphrase !== '' && { passphrase }),
    now: now(),
    keep: howToKeep(claim) === 'picker' ? 'nothing' : 'pieces',
  }
  note(element('asking-note'))
  markWrong()
  void openAndShow(request, { envelope, claim, given: given() }, complain)
}

function whatIsMissing(claim: Claim, passphrase: string, keyPassphrase: string): { says: string; field: string } | undefined {
  const canType = claim.passphraseCost !== undefined
  if (keyFile && keyIsLocked && keyPassphrase === '') return { says: texts.keyLocked, field: 'key-passphrase' }
  if (passphrase !== '' || keyFile || approvals.length > 0) return undefined
  return canType ? { says: texts.nothingGiven, field: 'passphrase' } : { says: texts.keyNeeded, field: 'key-file' }
}

/** Says beside the fields what other secrets may mend, and puts the focus there. */
function complain(said: Said, field: string): void {
  turnTo('asking')
  note(element('asking-note'), said, 'bad')
  markWrong(field)
  const input = element<HTMLInputElement>(field)
  input.focus()
  if (input.type !== 'file') input.select()
  announce(said)
}

function markWrong(field?: string): void {
  for (const id of ['passphrase', 'key-passphrase', 'key-file']) {
    if (id === field) element(id).setAttribute('aria-invalid', 'true')
    else element(id).removeAttribute('aria-invalid')
  }
}

/** Forgets everything that was chosen and typed, and ends the worker, which knows it too. */
export function forgetAll(): void {
  stop()
  forget('passphrase', 'key-passphrase')
  for (const id of ['key-file', 'extras-file']) element<HTMLInputElement>(id).value = ''
  keyFile?.bytes.fill(0)
  asked = keyFile = undefined
  keyIsLocked = false
  cards = []
  approvals = []
  show(element('key-passphrase-part'), false)
  note(element('asking-note'))
  markWrong()
  forgetResult()
}
