// Which names and addresses the program takes on a card: src/identity/naming.rs, as far as it goes without Unicode's tables.

/** Characters that are not drawn (Unicode's `Default_Ignorable_Code_Point`), and controls. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029]/u
/** What a shell may take for more than text. */
const SHELL = /[`$";|<>()\\]/
const NAME_BYTES_MAX = 256
const ADDRESS_BYTES_MAX = 320
const bytes = (text: string): number => new TextEncoder().encode(text).length

/** Whether it may stand on a card as an address. */
export function isAddress(address: string): boolean {
  return /^[^@\p{White_Space}]+@[^@\p{White_Space}]+$/u.test(address) && !UNSEEN.test(address) && !SHELL.test(address) && bytes(address) <= ADDRESS_BYTES_MAX
}

/** Whether it may stand on a card as a name: it looks like no fingerprint, no other address and no word of the program. */
export function isName(name: string, address: string): boolean {
  const composed = name.normalize('NFKC').toLowerCase()
  const letters = composed.replace(/[^\p{Alphabetic}\p{N}]/gu, '')
  if (name === '' || UNSEEN.test(name) || bytes(name) > NAME_BYTES_MAX) return false
  if (/^[0-9a-f]{16,}$/.test(letters) || ['you', 'me', 'unknown'].includes(composed)) return false
  return !composed.includes('@') || name === address
}

/** Without blanks at its ends, and one between its words. */
export function tidy(text: string): string {
  return text.replace(/[\p{White_Space}\u2800]+/gu, ' ').trim()
}
