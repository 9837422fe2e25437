// Choosing the envelope: by the field, or dropped anywhere on the page, together with key file, cards and approvals.

import type { Envelope, Sorted } from '../chosen.ts'
import { sorted } from '../chosen.ts'
import { ask, Failure, Stopped } from '../client.ts'
import { announce, element, note, onPress, turnTo } from '../dom.ts'
import { sentence } from '../words/failures.ts'
import type { Said } from '../words/said.ts'
import { texts } from '../words/texts.ts'
import { addExtras, askForSecrets, begin as beginAsking, forgetAll } from './asking.ts'
import { readKeyFiles } from './key_files.ts'

/** Makes field and page take files. */
export function begin(): void {
  const field = element<HTMLInputElement>('envelope-file')
  field.addEventListener('change', () => take([...(field.files ?? [])]))
  for (const id of ['asking-other', 'failure-other', 'result-other']) onPress(id, startOver)
  beginAsking(take)
  takeDrops()
}

/** A drop beside the zone would leave the page, so the whole window takes it. */
function takeDrops(): void {
  const over = (is: boolean): void => void document.body.classList.toggle('over', is)
  addEventListener('dragover', (event) => {
    if (isOfAnother(event)) return
    event.preventDefault()
    over(true)
  })
  addEventListener('dragleave', (event) => over(event.relatedTarget !== null))
  addEventListener('drop', (event) => {
    over(false)
    if (isOfAnother(event)) return
    event.preventDefault()
    take([...(event.dataTransfer?.files ?? [])])
  })
}

/** A text that is dragged into a field, or a file into the field for it where an invitation is answered. */
function isOfAnother({ dataTransfer, target }: DragEvent): boolean {
  const isFile = dataTransfer?.types.includes('Files') ?? false
  const isField = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement
  return isField && (!isFile || target.id === 'saved-file')
}

/** Back to an empty page. */
export function startOver(): void {
  forgetAll()
  element<HTMLInputElement>('envelope-file').value = ''
  note(element('choose-note'))
  turnTo('choosing')
}

/** One choice or drop after the other: the worker answers one question at a time. */
let taking: Promise<void> = Promise.resolve()

function take(files: File[]): void {
  if (files.length === 0) return
  // Where an answer to an invitation is made, its own field takes files.
  if (!element('answering').hidden) return
  const failed = (error: unknown): void => {
    if (!(error instanceof Stopped)) complain([error instanceof DOMException ? texts.unreadable : texts.broken])
  }
  taking = taking.then(() => receive(files)).catch(failed)
}

async function receive(files: File[]): Promise<void> {
  announce(texts.reading)
  const found = await sorted(files)
  const [envelope] = found.envelopes
  if (found.envelopes.length > 1) return complain([texts.severalEnvelopes])
  if (envelope) return lookAt(envelope, found)
  // The page begins anew where an envelope was opened, or could not be: before it keeps what came, not after.
  if (isOver()) startOver()
  const kept = addExtras(found)
  const [other] = found.others
  if (element('asking').hidden) complain(kept ? texts.envelopeFirst(kept) : texts.notEnvelope(other ?? ''))
  else if (other !== undefined) note(element('asking-note'), texts.unknownExtra(other), 'bad')
}

/** Shows what the envelope says of itself, or why it is none. */
export async function lookAt(envelope: Envelope, extras?: Sorted): Promise<void> {
  // A key file that is just being read would be stopped, or stop this.
  await readKeyFiles()
  try {
    const { claim } = await ask({ ask: 'look', source: envelope.source }, 'looked', { file: envelope.file })
    if (extras) addExtras(extras)
    askForSecrets(envelope, claim)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    complain(sentence(error.failed, { envelope: envelope.name, identity: [], card: [], approval: [] }))
    if (extras) addExtras(extras)
  }
}

/** Whether nothing can be added to what the page shows. */
function isOver(): boolean {
  return element('choosing').hidden && element('asking').hidden
}

function complain(said: Said): void {
  if (element('choosing').hidden) startOver()
  element<HTMLInputElement>('envelope-file').value = ''
  note(element('choose-note'), said, 'bad')
  announce(said)
}
