// The language of the page: one table of sentences, and numbers and times written as that language does.

import { de } from './de.ts'
import { en, type Texts } from './en.ts'

const TABLES: Record<'en' | 'de', Texts> = { en, de }

/** `de` where that is the first language of the browser, else `en`. */
export const language: 'en' | 'de' = /^de\b/i.test(navigator.language) ? 'de' : 'en'
export const texts: Texts = TABLES[language]

/** The texts that are one sentence without anything to fill in. */
export type StaticText = { [K in keyof Texts]: Texts[K] extends string ? K : never }[keyof Texts]

/** A size for people: "12 KB" in powers of 1024, as file managers show it. */
export function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let [unit, value] = [0, bytes]
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1
  return `${value.toLocaleString(language, { maximumFractionDigits: digits })}\u00a0${units[unit] ?? ''}`
}

/** A time of the format, `YYYY-MM-DDThh:mm:ssZ`, for people: "3 December 2026, 12:00 UTC". */
export function when(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const locale = language === 'de' ? 'de-DE' : 'en-GB'
  const day = date.toLocaleDateString(locale, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
  const clock = date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })
  return `${day}, ${clock} UTC`
}

/** The clock of this device as a time of the format. */
export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`
}

/** The memory that a passphrase of this cost takes, for people. */
export function memory(cost: number): string {
  return size(2 ** cost * 1024)
}
