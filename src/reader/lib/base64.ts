// Base64 and base64url in the one canonical form of FORMAT.md, read and written. `atob` takes blanks and loose bits.

import { byte } from './bytes.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const PAD = 0x3d
/** No letter has its highest bit. */
const NONE = 255
const STANDARD_LETTERS = LETTERS + '+/'
const URL_LETTERS = LETTERS + '-_'
const STANDARD = table(STANDARD_LETTERS)
const URL_SAFE = table(URL_LETTERS)

/** The value of each byte that is a letter; `NONE` of all others. */
function table(letters: string): Uint8Array {
  const values = new Uint8Array(256).fill(NONE)
  for (let value = 0; value < letters.length; value++) values[letters.charCodeAt(value)] = value
  return values
}

/** b64 of FORMAT.md: with padding. `undefined` for any other text. */
export function fromBase64(text: Uint8Array): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  let end = text.length
  if (end > 0 && byte(text, end - 1) === PAD) end -= byte(text, end - 2) === PAD ? 2 : 1
  return decode(text.subarray(0, end), STANDARD)
}

/** base64url without padding. `undefined` for any other text. */
export function fromBase64Url(text: Uint8Array): Uint8Array | undefined {
  return decode(text, URL_SAFE)
}

/** Decodes groups of four letters, as many as fill `bytes`. Whether all were letters. */
export function decodeGroups(text: Uint8Array, from: number, bytes: Uint8Array, values = STANDARD): boolean {
  let invalid = 0
  let at = from
  for (let out = 0; out + 3 <= bytes.length; out += 3) {
    const a = byte(values, byte(text, at))
    const b = byte(values, byte(text, at + 1))
    const c = byte(values, byte(text, at + 2))
    const d = byte(values, byte(text, at + 3))
    invalid |= a | b | c | d
    bytes[out] = (a << 2) | (b >> 4)
    bytes[out + 1] = (b << 4) | (c >> 2)
    bytes[out + 2] = (c << 6) | d
    at += 4
  }
  return (invalid & 0x80) === 0
}

function decode(text: Uint8Array, values: Uint8Array): Uint8Array | undefined {
  const rest = text.length % 4
  if (rest === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  const whole = Math.floor(text.length / 4)
  if (!decodeGroups(text, 0, bytes.subarray(0, whole * 3), values)) return undefined
  if (rest === 0) return bytes
  const [a = NONE, b = NONE, c = 0] = text.subarray(whole * 4).map(letter => byte(values, letter))
  // Loose bits would be another text for the same bytes.
  const loose = rest === 3 ? c & 3 : b & 15
  if ((a | b | c) & 0x80 || loose !== 0) return undefined
  bytes[whole * 3] = (a << 2) | (b >> 4)
  if (rest === 3) bytes[whole * 3 + 1] = (b << 4) | (c >> 2)
  return bytes
}

/** b64 of FORMAT.md: with padding. */
export function toBase64(bytes: Uint8Array): string {
  const bare = encode(bytes, STANDARD_LETTERS)
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, '=')
}

/** base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return encode(bytes, URL_LETTERS)
}

function encode(bytes: Uint8Array, letters: string): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const group = (byte(bytes, at) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
    const count = Math.min(bytes.length - at, 3) + 1
    for (let letter = 0; letter < count; letter++) text += letters.charAt((group >> (18 - 6 * letter)) & 63)
  }
  return text
}
