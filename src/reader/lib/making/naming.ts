// Which names and addresses the program takes on a card: src/identity/naming.rs, as far as it goes without Unicode's tables.

import { byteLength } from '../bytes.ts'

/** Characters that are not drawn (Unicode's `Default_Ignorable_Code_Point`), and controls. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029]/u
/** What a shell may take for more than text. */
const SHELL = /[`$";|<>()\\]/
/** Letters of other alphabets that are drawn like those of the program's words (UTS 39), which have these letters only. */
const DRAWN_LIKE = new Map([
  ['e', 'е\u04bd\u212e'],
  ['k', 'к\u03ba\u0138'],
  ['m', 'м\u1d0d'],
  ['n', '\u0578\u057c\u1d28п'],
  ['o', 'о\u03bf\u0585\u03c3\u10ff\u1d0f0\u05e1'],
  ['u', '\u03c5\u057d\u028b\u1d1cц'],
  ['w', '\u0461\u051d\u0561\u026f\u1d21'],
  ['y', 'у\u04af\u03b3\u10e7\u028f'],
])
const WORDS_OF_THE_PROGRAM = ['you', 'me', 'unknown']
/** Alphabets that have letters like those of others. Han, kana and the like stand beside Latin letters in good names. */
const ALPHABETS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Coptic', 'Cherokee', 'Georgian', 'Hebrew'].map((name) => new RegExp(`\\p{Script=${name}}`, 'u'))
/** At an end, or two in a row. The Braille pattern without dots is drawn like a blank. */
const STRAY_BLANKS = /^[\p{White_Space}\u2800]|[\p{White_Space}\u2800]$|[\p{White_Space}\u2800]{2}/u
const NAME_BYTES_MAX = 256
const ADDRESS_BYTES_MAX = 320

/** Whether it may stand on a card as an address. */
export function isAddress(address: string): boolean {
  return /^[^@\p{White_Space}]+@[^@\p{White_Space}]+$/u.test(address) && !UNSEEN.test(address) && !SHELL.test(address) && byteLength(address) <= ADDRESS_BYTES_MAX
}

/** Whether it may stand on a card as a name: it looks like no fingerprint, no other address and no word of the program, and its blanks are seen. */
export function isName(name: string, address: string): boolean {
  const composed = name.normalize('NFKC').toLowerCase()
  const letters = composed.replace(/[^\p{Alphabetic}\p{N}]/gu, '')
  if (name === '' || UNSEEN.test(name) || byteLength(name) > NAME_BYTES_MAX) return false
  if (/^[0-9a-f]{16,}$/.test(letters) || WORDS_OF_THE_PROGRAM.includes(drawn(composed)) || STRAY_BLANKS.test(name)) return false
  return !composed.includes('@') || name === address
}

/** A word with the letters that it looks to have. */
function drawn(word: string): string {
  const latin = (letter: string): string => [...DRAWN_LIKE].find(([, others]) => others.includes(letter))?.[0] ?? letter
  return Array.from(word, latin).join('')
}

/** Whether one word has letters of several alphabets, of which some look like others. */
export function mixesAlphabets(text: string): boolean {
  const words = text.match(/[\p{Alphabetic}\p{M}]+/gu) ?? []
  return words.some((word) => ALPHABETS.filter((alphabet) => alphabet.test(word)).length > 1)
}

/** Without blanks at its ends, and one between its words. */
export function tidy(text: string): string {
  return text.replace(/[\p{White_Space}\u2800]+/gu, ' ').trim()
}
