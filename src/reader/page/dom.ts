// Small hands on the document. Foreign text gets in by `textContent` only, with what cannot be seen spelled out.

import { safe } from './words/escape.ts'
import type { Piece, Said } from './words/said.ts'

/** The element of that id. The page and its script are one file, so it is there. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found as T
}

function create(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag)
  made.textContent = text
  if (className) made.className = className
  return made
}

/** Foreign text as an element of its own, so that its direction ends with it. */
export function foreignText(text: string, className = ''): HTMLElement {
  return create('bdi', safe(text), className)
}

function node(piece: Piece): Node[] {
  if (typeof piece !== 'string') {
    return 'foreign' in piece ? [foreignText(piece.foreign)] : [create('bdi', safe(piece.exact), isFingerprint(piece.exact) ? 'mono fingerprint' : 'mono')]
  }
  // Our own words: what stands in backquotes is a command.
  const parts = piece.split('`')
  return parts.map((part, at) => (at % 2 === 0 ? document.createTextNode(part) : create('code', part, 'mono')))
}

/** Whether it is groups of four hexadecimal digits, which are laid out as such. */
function isFingerprint(text: string): boolean {
  return /^([0-9a-f]{4} ){15}[0-9a-f]{4}$/.test(text)
}

/** Puts a sentence into an element, in place of what was there. */
export function say(where: HTMLElement, said: Said | string): void {
  const pieces = typeof said === 'string' ? [said] : said
  where.replaceChildren(...pieces.flatMap(node))
}

/** Shows or hides. */
export function show(where: HTMLElement, visible = true): void {
  where.hidden = !visible
}

/** Says something in an element that is hidden while there is nothing to say. */
export function note(where: HTMLElement, said?: Said | string, look: 'bad' | 'care' | 'plain' = 'plain'): void {
  where.classList.remove('bad', 'care')
  if (look !== 'plain') where.classList.add(look)
  say(where, said ?? '')
  show(where, said !== undefined)
}

/** A line of a list of facts. What is foreign in it comes as pieces. */
export function fact(list: HTMLElement, term: Said | string, ...values: readonly (Said | string | HTMLElement)[]): void {
  const name = document.createElement('dt')
  say(name, term)
  const about = values.map((value) => {
    const line = document.createElement('dd')
    if (value instanceof HTMLElement) line.append(value)
    else say(line, value)
    return line
  })
  list.append(name, ...about)
}

const SECTIONS = ['refusing', 'choosing', 'asking', 'working', 'failure', 'result', 'answering'] as const
type Section = (typeof SECTIONS)[number]

/** Shows one section of the page and puts the focus on its heading, so that it is read out. */
export function turnTo(section: Section): void {
  for (const name of SECTIONS) show(element(name), name === section)
  element(section).querySelector<HTMLElement>('h1')?.focus()
}

/** Says something to people who do not see the page. */
export function announce(said: Said | string): void {
  say(element('status'), said)
}

/** Calls for each press of a button. */
export function onPress(id: string, act: () => void): void {
  element(id).addEventListener('click', act)
}

/** Lets a check box show what is typed into a field of secrets. */
export function showsTyping(box: string, field: string): void {
  const [check, input] = [element<HTMLInputElement>(box), element<HTMLInputElement>(field)]
  check.addEventListener('change', () => {
    input.type = check.checked ? 'text' : 'password'
  })
}

/** Empties fields of secrets and hides them again. */
export function forget(...fields: readonly string[]): void {
  for (const id of fields) {
    const field = element<HTMLInputElement>(id)
    field.value = ''
    const box = document.getElementById(`${id}-show`)
    if (box instanceof HTMLInputElement) box.checked = false
    if (field.type === 'text') field.type = 'password'
  }
}
