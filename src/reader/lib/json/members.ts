// The members of an object, taken in the order of the line, each by its own rule.

import { EnvelopeError, require } from '../error.ts'
import { type Json, JsonList, JsonObject } from './scan.ts'

/** Takes one value, or refuses it. */
export type Take<T> = (value: Json) => T

/** A rule for each member that an object may have. */
export type Table<T> = { readonly [Name in keyof T]-?: Take<Exclude<T[Name], undefined>> }

/** Takes an object. `due` are the members without which it is refused, once it closes. */
export function members<T extends object>(value: Json, table: Table<T>, due: readonly (keyof T & string)[]): T {
  if (!(value instanceof JsonObject)) throw new EnvelopeError('malformed', 'something else where an object is due')
  const found: Partial<T> = Object.create(null)
  for (const [name, item] of value.members) {
    // Not `name in table`, which knows `constructor`.
    if (!Object.hasOwn(table, name)) throw new EnvelopeError('newer', `the member ${name} is not known`)
    const known = name as keyof T & string
    found[known] = table[known](item)
  }
  for (const name of due) require(name in found, `${name} is missing`)
  return found as T
}

/** A list, judged at its first item too many. */
export function listOf<T>(most: number, item: Take<T>): Take<T[]> {
  return value => {
    if (!(value instanceof JsonList)) throw new EnvelopeError('malformed', 'something else where a list is due')
    const taken: T[] = []
    for (const one of value.items) {
      if (taken.length === most) throw new EnvelopeError('over-limit', `a list of more than ${most}`)
      taken.push(item(one))
    }
    return taken
  }
}

/** Refuses as `malformed` what stands twice. */
export function distinct(items: readonly (string | number)[], what: string): void {
  require(new Set(items).size === items.length, `${what} twice`)
}
