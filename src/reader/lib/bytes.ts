// Bytes: joined, compared, and written as numbers, texts, hexadecimal.

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

const ENCODER = new TextEncoder()

/** The bytes of a text in UTF-8. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text)
}

/** Bytes of a text in UTF-8; `length` counts something else. */
export function byteLength(text: string): number {
  return utf8(text).length
}

/** A label and one zero byte behind it. */
export function label(text: string): Uint8Array {
  return utf8(text + '\0')
}

/** `n` in so many bytes, the most significant first. Plain arithmetic: the operators on bits end at 32 and have a sign. */
function bigEndian(n: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let at = size - 1; at >= 0; at--) {
    bytes[at] = n % 256
    n = Math.floor(n / 256)
  }
  return bytes
}

export function u16(n: number): Uint8Array {
  return bigEndian(n, 2)
}

export function u32(n: number): Uint8Array {
  return bigEndian(n, 4)
}

/** Right up to 2^53. */
export function u64(n: number): Uint8Array {
  return bigEndian(n, 8)
}

/** `lp(s)` of FORMAT.md: a text with its length in front. */
export function lengthPrefixed(text: string): Uint8Array {
  const bytes = utf8(text)
  return concat(u32(bytes.length), bytes)
}

/** Compares in a time that depends on the lengths only. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let differs = 0
  for (let at = 0; at < a.length; at++) differs |= byte(a, at) ^ byte(b, at)
  return differs === 0
}

/** The byte at a position that is there. */
export function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number
}

export function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return bytes.length >= head.length && equal(bytes.subarray(0, head.length), head)
}

const DIGITS = '0123456789abcdef'

export function hex(bytes: Uint8Array): string {
  let text = ''
  for (const one of bytes) text += DIGITS.charAt(one >> 4) + DIGITS.charAt(one & 15)
  return text
}

/** The bytes of a text that `hex` made. */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.slice(2 * at, 2 * at + 2), 16)
  return bytes
}

/** A root key as people compare it: 16 groups of four digits. */
export function fingerprintOf(id: string): string {
  const groups = []
  for (let at = 0; at < id.length; at += 4) groups.push(id.slice(at, at + 4))
  return groups.join(' ')
}

/** Overwrites secrets. The engine may have copies. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0)
}
