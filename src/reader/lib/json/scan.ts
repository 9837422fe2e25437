// The text of one JSON object in one line, judged from left to right. `JSON.parse` knows neither the order of members nor equal names.

import { EnvelopeError, malformed, require } from '../error.ts'

export type Json = string | number | boolean | JsonList | JsonObject

export class JsonList {
  readonly items: Json[] = []
}

/** Members in the order of the line; the text of the object is `line.slice(start, end)`. */
export class JsonObject {
  readonly members: [string, Json][] = []
  readonly start: number
  end = 0

  constructor(start: number) {
    this.start = start
  }
}

const LEVELS_MAX = 8
const MEMBERS_MAX = 64
const CONTROL = /[\u0000-\u001f\u007f]/
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/
const LONE_SURROGATE = /\p{Surrogate}/u
const FOUR_HEX = /^[0-9a-fA-F]{4}$/
const ESCAPES = new Map([
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/** The line as a text. Without `ignoreBOM` the decoder would take a byte order mark away. */
export function textOf(line: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
  } catch {
    throw malformed('invalid UTF-8')
  }
}

/** Steps 1 to 3 of FORMAT.md, "JSON". */
export function parse(text: string): JsonObject {
  require(!CONTROL.test(text), 'a control character')
  const scan = new Scan(text)
  scan.blanks()
  const value = scan.value(1)
  scan.blanks()
  require(scan.isAtEnd(), 'text behind the object')
  if (!(value instanceof JsonObject)) throw malformed('not an object')
  return value
}

class Scan {
  private at = 0
  /** The next backslash, or the end. */
  private backslash = -1
  private quote = -1
  private readonly text: string

  constructor(text: string) {
    this.text = text
  }

  isAtEnd(): boolean {
    return this.at === this.text.length
  }

  blanks(): void {
    while (this.peek() === ' ') this.at++
  }

  value(level: number): Json {
    const head = this.peek()
    if (head === '{') return this.object(level)
    if (head === '[') return this.list(level)
    if (head === '"') return this.string()
    if (isDigit(head)) return this.number()
    if (this.word('true')) return true
    if (this.word('false')) return false
    throw this.notJson()
  }

  private peek(): string {
    return this.text.charAt(this.at)
  }

  private notJson(): EnvelopeError {
    return malformed(`not JSON at character ${this.at}`)
  }

  private expect(character: string): void {
    if (this.peek() !== character) throw this.notJson()
    this.at++
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  private object(level: number): JsonObject {
    const object = new JsonObject(this.at)
    const names = new Set<string>()
    this.items(level, '}', () => {
      const name = this.name(names)
      object.members.push([name, this.value(level + 1)])
    })
    object.end = this.at
    return object
  }

  private list(level: number): JsonList {
    const list = new JsonList()
    this.items(level, ']', () => list.items.push(this.value(level + 1)))
    return list
  }

  /** From the opening bracket to behind the closing one. */
  private items(level: number, close: string, item: () => void): void {
    require(level <= LEVELS_MAX, 'nested over 8 levels')
    this.at++
    this.blanks()
    if (this.peek() === close) {
      this.at++
      return
    }
    for (;;) {
      item()
      this.blanks()
      if (this.peek() === close) {
        this.at++
        return
      }
      this.expect(',')
      this.blanks()
    }
  }

  private name(names: Set<string>): string {
    if (this.peek() !== '"') throw this.notJson()
    const name = this.string()
    require(!names.has(name), 'a name twice')
    names.add(name)
    if (names.size > MEMBERS_MAX) throw new EnvelopeError('over-limit', 'more than 64 members')
    this.blanks()
    this.expect(':')
    this.blanks()
    return name
  }

  private string(): string {
    this.at++
    let text = ''
    for (;;) {
      const end = this.quoteOrBackslash()
      require(end < this.text.length, 'a text without an end')
      text += this.text.slice(this.at, end)
      this.at = end + 1
      if (this.text.charAt(end) === '"') break
      text += this.escape()
    }
    require(text !== '', 'an empty text')
    require(!FORBIDDEN.test(text), 'a forbidden character')
    require(!LONE_SURROGATE.test(text), 'half a character')
    return text
  }

  /** Where the next of these stands. Searching is much faster than walking, and most lines have no backslash at all. */
  private quoteOrBackslash(): number {
    if (this.backslash < this.at) this.backslash = this.find('\\')
    if (this.quote < this.at) this.quote = this.find('"')
    return Math.min(this.quote, this.backslash)
  }

  private find(character: string): number {
    const found = this.text.indexOf(character, this.at)
    return found < 0 ? this.text.length : found
  }

  /** What stands behind a backslash. */
  private escape(): string {
    const character = this.peek()
    this.at++
    if (character === 'u') return this.codeUnit()
    const meant = ESCAPES.get(character)
    if (meant === undefined) throw malformed('an escape that is none')
    return meant
  }

  private codeUnit(): string {
    const digits = this.text.slice(this.at, this.at + 4)
    require(FOUR_HEX.test(digits), 'an escape that is none')
    this.at += 4
    return String.fromCharCode(parseInt(digits, 16))
  }

  private number(): number {
    const begun = this.at
    while (isDigit(this.peek())) this.at++
    const digits = this.text.slice(begun, this.at)
    const fits = digits === '0' || (!digits.startsWith('0') && digits.length <= 10)
    require(fits && !['.', 'e', 'E'].includes(this.peek()), 'a number in another form')
    return Number(digits)
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9' && character.length === 1
}
