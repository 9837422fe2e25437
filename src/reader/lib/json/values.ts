// Texts, numbers, times and bytes in JSON.

import { fromBase64 } from '../base64.ts'
import { byteLength, hex, utf8 } from '../bytes.ts'
import { EnvelopeError, malformed, require } from '../error.ts'
import type { Take } from './members.ts'
import type { Json } from './scan.ts'

function string(value: Json): string {
  if (typeof value !== 'string') throw malformed('something else where a text is due')
  return value
}

export function text(bytesMax = Infinity): Take<string> {
  return value => {
    const taken = string(value)
    if (byteLength(taken) > bytesMax) throw new EnvelopeError('over-limit', `a text of more than ${bytesMax} bytes`)
    return taken
  }
}

/** One of the words of this version. */
export function word<W extends string>(...words: readonly W[]): Take<W> {
  return value => {
    const taken = string(value)
    const known = words.find(one => one === taken)
    if (known === undefined) throw new EnvelopeError('newer', `${taken} is not known`)
    return known
  }
}

export function boolean(value: Json): boolean {
  if (typeof value !== 'boolean') throw malformed('something else where true or false is due')
  return value
}

export function number(least: number, most: number): Take<number> {
  return value => {
    if (typeof value !== 'number') throw malformed('something else where a number is due')
    require(least <= value && value <= most, 'a number outside its range')
    return value
  }
}

/** b64 of one of these lengths. */
export function base64(...lengths: readonly number[]): Take<Uint8Array> {
  return value => {
    const bytes = fromBase64(utf8(string(value)))
    if (bytes === undefined || !lengths.includes(bytes.length)) throw malformed('not base64 of the length due')
    return bytes
  }
}

const take32 = base64(32)

/** b64(32) that is compared and looked for, as a hexadecimal text. */
export function id(value: Json): string {
  return hex(take32(value))
}

const TIME = /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z$/

/** A time stays a text: in this form texts sort as times do. `Date` takes 30 February and 24:00. */
export function time(value: Json): string {
  const taken = string(value)
  require(isTime(taken), 'not a time')
  return taken
}

export function isTime(taken: string): boolean {
  const fields = TIME.exec(taken)
  if (!fields || taken.length !== 20) return false
  const [year, month, day, hour, minute, second] = fields.slice(1).map(Number) as [
    number, number, number, number, number, number,
  ]
  const isDate = year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
  return isDate && hour <= 23 && minute <= 59 && second <= 59
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  if (month === 2) return isLeap ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}
