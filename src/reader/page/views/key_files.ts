// The key files that somebody chose or dropped, each with a field for its passphrase if it has one.

import type { Small } from '../chosen.ts'
import { ask, Failure, Stopped } from '../client.ts'
import { element, forget, say, show, showsTyping } from '../dom.ts'
import type { KeyFile } from '../messages.ts'
import { sentence } from '../words/failures.ts'
import { foreign, type Said } from '../words/said.ts'
import { texts } from '../words/texts.ts'

/** The field of the first one stands in the page. */
const FIRST_FIELD = 'key-passphrase'

interface Added {
  readonly file: Small
  /** Nothing: the worker was not asked yet, or was stopped. */
  state?: 'open' | 'locked'
  /** The field for the passphrase of one that is locked. */
  field?: string
}

/** What the envelope is opened with, and the field of each. */
export interface UsedKeyFiles {
  readonly files: readonly KeyFile[]
  readonly names: readonly string[]
  readonly fields: readonly string[]
  /** The field in which a passphrase is missing, where no other secret could do. */
  readonly missing?: string
}

let added: Added[] = []
/** One reading after the other: the worker answers one question at a time. */
let reading: Promise<Said | undefined> = Promise.resolve(undefined)

export function begin(): void {
  showsTyping(`${FIRST_FIELD}-show`, FIRST_FIELD)
}

/** Adds one, unless it was added before. */
export function addKeyFile(file: Small): void {
  if (!added.some((one) => isSame(one.file, file))) added.push({ file })
}

function isSame(one: Small, other: Small): boolean {
  return one.bytes.length === other.bytes.length && one.bytes.every((byte, at) => byte === other.bytes[at])
}

export function keyFileNames(): string[] {
  return added.map((one) => one.file.name)
}

/** Asks the worker for what it has not read yet. Gives what is wrong with one that is none, which is taken out again. */
export function readKeyFiles(): Promise<Said | undefined> {
  reading = reading.then(readUnread)
  return reading
}

async function readUnread(): Promise<Said | undefined> {
  let fault: Said | undefined
  for (const one of added.filter((known) => known.state === undefined)) {
    const found = await read(one)
    if (found === 'stopped') break
    if (found === undefined) continue
    fault = found
    added = added.filter((other) => other !== one)
  }
  return fault
}

async function read(one: Added): Promise<Said | 'stopped' | undefined> {
  try {
    await ask({ ask: 'read', as: 'identity', bytes: one.file.bytes }, 'read')
    one.state = 'open'
    return undefined
  } catch (error) {
    if (error instanceof Stopped) return 'stopped'
    if (!(error instanceof Failure)) return [texts.broken]
    if (error.failed.kind !== 'locked') return sentence(error.failed, { envelope: '', identity: [one.file.name], card: [], approval: [] })
    one.state = 'locked'
    one.field = fieldFor(one)
    return undefined
  }
}

/** The field in the page for the first one, and copies of it for others. */
function fieldFor({ file }: Added): string {
  const count = fields().length
  const first = element(`${FIRST_FIELD}-part`)
  const part = count === 0 ? first : copyOf(first, `${FIRST_FIELD}-${count + 1}`)
  const label = part.querySelector('label')
  if (label) say(label, texts.keyPassphraseOf(foreign(file.name)))
  show(part)
  return count === 0 ? FIRST_FIELD : `${FIRST_FIELD}-${count + 1}`
}

function copyOf(first: HTMLElement, field: string): HTMLElement {
  const part = first.cloneNode(true) as HTMLElement
  part.id = `${field}-part`
  for (const input of part.querySelectorAll('input')) input.id = input.id.replace(FIRST_FIELD, field)
  part.querySelector('label')?.setAttribute('for', field)
  element('key-passphrases').append(part)
  showsTyping(`${field}-show`, field)
  forget(field)
  return part
}

function fields(): string[] {
  return added.flatMap((one) => one.field ?? [])
}

/** Whose passphrase is still to be typed. */
export function emptyField(): string | undefined {
  return fields().find((field) => typedIn(field) === '')
}

function typedIn(field: string): string {
  return element<HTMLInputElement>(field).value
}

/** Those that can be used: one whose passphrase was not typed is left out, as it may be in the way of another. */
export function usedKeyFiles(): UsedKeyFiles {
  const used = added.filter((one) => one.field === undefined || typedIn(one.field) !== '')
  const missing = emptyField()
  return {
    files: used.map(({ file, field }) => ({ bytes: file.bytes, ...(field !== undefined && { passphrase: typedIn(field) }) })),
    names: used.map((one) => one.file.name),
    fields: used.map((one) => one.field ?? 'key-file'),
    ...(missing !== undefined && { missing }),
  }
}

export function passphraseFields(): readonly string[] {
  return [FIRST_FIELD, ...fields().slice(1)]
}

/** Empties the fields. The files stay. */
export function forgetKeyPassphrases(): void {
  forget(...passphraseFields())
}

export function forgetKeyFiles(): void {
  forgetKeyPassphrases()
  for (const { file } of added) file.bytes.fill(0)
  added = []
  show(element(`${FIRST_FIELD}-part`), false)
  element('key-passphrases').replaceChildren()
}
