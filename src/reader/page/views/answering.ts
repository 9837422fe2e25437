// Answering an invitation: paste it, say who you are, save the key file, show that it opens, mail the answer.

import { small } from '../chosen.ts'
import { ask, Failure, Stopped } from '../client.ts'
import { announce, element, fact, forget, note, onPress, say, show, showsTyping, turnTo } from '../dom.ts'
import type { Card } from '../../lib/mod.ts'
import { isAddress, isName, tidy } from '../../lib/making/naming.ts'
import { sevenWords } from '../../lib/making/words.ts'
import { sentence } from '../words/failures.ts'
import { nameOf } from '../words/people.ts'
import { exact, foreign, type Said } from '../words/said.ts'
import { now, texts, when } from '../words/texts.ts'
import { startOver } from './choosing.ts'
import { showWork } from './opening.ts'

const PARTS = ['answer-invitation', 'answer-person', 'answer-file', 'answer-done'] as const
/** Words that somebody chose are guessed far sooner than words that were drawn. */
const OWN_CHARS_MIN = 16

interface Invited {
  readonly token: string
  readonly from?: Card
}

let invited: Invited | undefined
/** The identity that was made just now; without it another key file is taken. */
let made: string | undefined
let words = ''
let url: string | undefined

export function begin(): void {
  // The browser may keep a page that is left, to show it again: without secrets and content.
  addEventListener('pagehide', leaveAnswer)
  onPress('answer-start', restart)
  onPress('have-keys', () => askForFile())
  onPress('answer-copy', () => void copy())
  for (const leave of document.querySelectorAll('.answer-leave')) leave.addEventListener('click', leaveAnswer)
  onSubmit('answer-invitation', readInvitation)
  onSubmit('answer-person', makeKeys)
  onSubmit('answer-file', checkFile)
  showsTyping('own-passphrase-show', 'own-passphrase')
  showsTyping('saved-passphrase-show', 'saved-passphrase')
  const own = element<HTMLInputElement>('own-passphrase-box')
  own.addEventListener('change', () => {
    show(element('own-passphrase-part'), own.checked)
    show(element('words'), !own.checked)
  })
}

function onSubmit(form: string, act: () => Promise<void>): void {
  element(form).addEventListener('submit', (event) => {
    event.preventDefault()
    note(element('answer-note'))
    act().catch(failed)
  })
}

function failed(error: unknown): void {
  if (error instanceof Stopped) return turnTo('answering')
  const name = chosenFile()?.name ?? ''
  const given = { envelope: '', identity: [name], card: [], approval: [] }
  complain(error instanceof Failure ? sentence(error.failed, given) : [texts.broken])
}

function complain(said: Said, field?: string): void {
  turnTo('answering')
  note(element('answer-note'), said, 'bad')
  announce(said)
  if (field !== undefined) element(field).focus()
}

function restart(): void {
  forgetAnswer()
  step('answer-invitation')
  element('invitation').focus()
}

function leaveAnswer(): void {
  forgetAnswer()
  startOver()
}

function step(part: (typeof PARTS)[number]): void {
  for (const one of PARTS) show(element(one), one === part)
  show(element('answer-inviter'), part === 'answer-person')
  note(element('answer-note'))
  turnTo('answering')
}

async function readInvitation(): Promise<void> {
  const { token, from } = await ask({ ask: 'invitation', text: element<HTMLTextAreaElement>('invitation').value }, 'invited')
  if (token === undefined) return complain([texts.noInvitation], 'invitation')
  invited = { token, ...(from && { from }) }
  showInviter(from)
  words = sevenWords()
  say(element('words'), words)
  step('answer-person')
}

function showInviter(from: Card | undefined): void {
  say(element('inviter-intro'), from ? texts.inviterIntro : texts.inviterUnknown)
  const list = element('inviter')
  list.replaceChildren()
  if (!from) return
  fact(list, texts.inviterName, nameOf({ name: from.name, address: from.addresses[0] ?? '' }))
  fact(list, texts.inviterAddress, [foreign(from.addresses[0] ?? '')])
  fact(list, texts.fingerprint, [exact(from.fingerprint)])
}

async function makeKeys(): Promise<void> {
  const address = element<HTMLInputElement>('person-address').value.trim()
  const name = tidy(element<HTMLInputElement>('person-name').value) || address
  const own = element<HTMLInputElement>('own-passphrase-box').checked
  const passphrase = own ? element<HTMLInputElement>('own-passphrase').value : words
  if (!isAddress(address)) return complain([texts.badAddress], 'person-address')
  if (!isName(name, address)) return complain([texts.badName], 'person-name')
  if (passphrase.length < OWN_CHARS_MIN) return complain([texts.tooShort], 'own-passphrase')
  showWork(texts.making)
  const { identity } = await ask({ ask: 'make', person: { name, address, created: now() }, passphrase }, 'made')
  made = identity.id
  offerFile(identity.file, address)
  askForFile(true)
}

/** A link to the key file. Its name says whose it is, as far as a file's name can. */
function offerFile(text: string, address: string): void {
  url = URL.createObjectURL(new Blob([text], { type: 'application/octet-stream' }))
  const link = element<HTMLAnchorElement>('key-save')
  link.href = url
  link.download = `${address.replace(/[^\w.@+-]/g, '_')}.encl-key`
  say(link, texts.saveKeys(link.download))
}

function askForFile(isNew = false): void {
  // The words are to be read from paper now: that they were written down shows here and not in a year.
  forget('own-passphrase', 'saved-passphrase')
  words = ''
  say(element('words'), '')
  show(element('new-file'), isNew)
  say(element('saved-file-label'), isNew ? texts.savedLabel : texts.haveLabel)
  say(element('saved-file-hint'), isNew ? texts.savedHint : texts.haveHint)
  step('answer-file')
}

function chosenFile(): File | undefined {
  return element<HTMLInputElement>('saved-file').files?.[0]
}

async function checkFile(): Promise<void> {
  const file = chosenFile()
  if (!file || !invited) return complain([texts.fileNeeded], 'saved-file')
  const { bytes } = await small(file)
  const passphrase = element<HTMLInputElement>('saved-passphrase').value
  showWork(texts.checking)
  const inviter = invited.from?.id
  const answer = await ask(
    {
      ask: 'answer',
      file: bytes,
      token: invited.token,
      now: now(),
      ...(passphrase !== '' && { passphrase }),
      ...(inviter !== undefined && { inviter }),
    },
    'answered',
  )
  if (answer.isEnded) return complain([texts.endedKeys], 'saved-file')
  if (!answer.card) return complain([texts.noCard], 'saved-file')
  if (made !== undefined && answer.card.id !== made) return complain([texts.anotherFile], 'saved-file')
  showAnswer(answer.text, answer.card, answer.number)
}

function showAnswer(text: string, card: Card, number: string | undefined): void {
  forget('saved-passphrase')
  const address = invited?.from?.addresses[0]
  say(element('answer-lead'), address === undefined ? texts.sendBack : texts.sendTo(address))
  element<HTMLTextAreaElement>('answer-text').value = text
  say(element('copied'), '')
  const list = element('answer-facts')
  list.replaceChildren()
  fact(list, texts.yourCard, [foreign(card.name), ' ', foreign(`<${card.addresses[0] ?? ''}>`)])
  fact(list, texts.madeOn, when(card.created))
  fact(list, texts.fingerprint, [exact(card.fingerprint)])
  show(element('number-hint'), number !== undefined)
  if (number !== undefined) fact(list, texts.safetyNumber, numberText(number))
  step('answer-done')
}

function numberText(number: string): HTMLElement {
  const shown = document.createElement('bdi')
  shown.className = 'mono number'
  shown.textContent = number
  return shown
}

async function copy(): Promise<void> {
  const field = element<HTMLTextAreaElement>('answer-text')
  field.select()
  const isCopied = await navigator.clipboard?.writeText(field.value).then(
    () => true,
    () => false,
  )
  say(element('copied'), isCopied ? texts.copied : texts.copyByHand)
}

/** Forgets what was typed and made. */
function forgetAnswer(): void {
  if (url !== undefined) URL.revokeObjectURL(url)
  invited = made = url = undefined
  words = ''
  forget('own-passphrase', 'saved-passphrase')
  for (const id of ['invitation', 'answer-text', 'person-name', 'person-address', 'saved-file']) element<HTMLInputElement>(id).value = ''
  element<HTMLInputElement>('own-passphrase-box').checked = false
  show(element('own-passphrase-part'), false)
  show(element('words'))
  say(element('words'), '')
  element('key-save').removeAttribute('href')
}
