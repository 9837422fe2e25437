// Text from outside made harmless: what cannot be seen, or would turn a line around, is spelled out. As src/cli/terminal/escape.rs.

/** The longest foreign text that is shown, in characters. */
const SHOWN_CHARS_MAX = 256

/** Controls, line separators, direction changes (Unicode `Bidi_Control`), and characters that only hide text. */
const HAZARDS =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** Whether a text has a character that is spelled out. */
export function hasHazard(text: string): boolean {
  return text.search(HAZARDS) >= 0
}

/** Hazards as `\u{…}`, nothing cut. */
function spelledOut(text: string): string {
  return text.replace(HAZARDS, (letter) => `\\u{${letter.codePointAt(0)?.toString(16) ?? ''}}`)
}

/** One name, label or path as it may be shown: hazards spelled out, cut after 256 characters with `…`. */
export function safe(text: string): string {
  const letters = Array.from(text.slice(0, 2 * SHOWN_CHARS_MAX + 2))
  if (letters.length <= SHOWN_CHARS_MAX) return spelledOut(text)
  return `${spelledOut(letters.slice(0, SHOWN_CHARS_MAX).join(''))}…`
}

/** A text of several lines for a `pre`: line ends and tabs stay, all other hazards are spelled out. */
export function safeLines(text: string): string {
  const keep = (letter: string): string => (letter === '\n' || letter === '\t' ? letter : spelledOut(letter))
  return text.replace(/\r\n/g, '\n').replace(HAZARDS, keep)
}
