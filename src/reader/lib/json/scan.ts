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

const [BLANK, QUOTE, COMMA, COLON, ZERO, NINE] = [0x20, 0x22, 0x2c, 0x3a, 0x30, 0x39]
const [BRACE, BRACE_END, BRACKET, BRACKET_END] = [0x7b, 0x7d, 0x5b, 0x5d]
/** `.`, `e` and `E`: what makes another number of digits. */
const BEHIND_DIGITS = [0x2e, 0x65, 0x45]
const DIGITS_MAX = 10
const LEVELS_MAX = 8
const MEMBERS_MAX = 64
/**
 * More values than any line has that is taken: 16,384 slots with all their members are 200,000, and 8 MiB of recipients 370,000. What
 * stands behind them is judged as JSON and not kept, or 40 MiB of empty lists would take gigabytes: the members are refused before it.
 */
const VALUES_MAX = 1 << 19
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

/** In place of lists and objects that are not kept. */
const LEFT_OUT = { list: new JsonList(), object: new JsonObject(0) }

class Scan {
  private at = 0
  private values = 0
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
    while (this.peek() === BLANK) this.at++
  }

  value(level: number): Json {
    const head = this.peek()
    if (head === BRACE) return this.object(level)
    if (head === BRACKET) return this.list(level)
    if (head === QUOTE) return this.string()
    if (isDigit(head)) return this.number()
    if (this.word('true')) return true
    if (this.word('false')) return false
    throw this.notJson()
  }

  /** The code of the next character; not a number at the end. */
  private peek(): number {
    return this.text.charCodeAt(this.at)
  }

  private notJson(): EnvelopeError {
    return malformed(`not JSON at character ${this.at}`)
  }

  private expect(code: number): void {
    if (this.peek() !== code) throw this.notJson()
    this.at++
  }

  private word(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  private object(level: number): JsonObject {
    const object = this.isFull() ? LEFT_OUT.object : new JsonObject(this.at)
    let names: Set<string> | undefined
    this.items(level, BRACE_END, () => {
      names ??= new Set()
      const name = this.name(names)
      const isKept = this.countsIn()
      const value = this.value(level + 1)
      if (isKept) object.members.push([name, value])
    })
    object.end = this.at
    return object
  }

  private list(level: number): JsonList {
    const list = this.isFull() ? LEFT_OUT.list : new JsonList()
    this.items(level, BRACKET_END, () => {
      const isKept = this.countsIn()
      const value = this.value(level + 1)
      if (isKept) list.items.push(value)
    })
    return list
  }

  private isFull(): boolean {
    return this.values > VALUES_MAX
  }

  /** Counts a value where it begins, so that none is kept of which a part in front is not. */
  private countsIn(): boolean {
    this.values++
    return !this.isFull()
  }

  /** From the opening bracket to behind the closing one. */
  private items(level: number, close: number, item: () => void): void {
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
      this.expect(COMMA)
      this.blanks()
    }
  }

  private name(names: Set<string>): string {
    if (this.peek() !== QUOTE) throw this.notJson()
    const name = this.string()
    require(!names.has(name), 'a name twice')
    names.add(name)
    if (names.size > MEMBERS_MAX) throw new EnvelopeError('over-limit', 'more than 64 members')
    this.blanks()
    this.expect(COLON)
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
      if (this.text.charCodeAt(end) === QUOTE) break
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
    const character = this.text.charAt(this.at)
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
    const count = this.at - begun
    const fits = count === 1 || (this.text.charCodeAt(begun) !== ZERO && count <= DIGITS_MAX)
    require(fits && !BEHIND_DIGITS.includes(this.peek()), 'a number in another form')
    return Number(this.text.slice(begun, this.at))
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}
