// The private line: the beginning of the content, for those who opened it.

import { EnvelopeError, require } from '../error.ts'
import { listOf, members, type Table } from '../json/members.ts'
import { type Json, parse } from '../json/scan.ts'
import { base64, id, number, text, time, word } from '../json/values.ts'
import { LOCKS_MAX, type Policy, type Recipient, checkCount, checkList, locksOfPeople, recipients } from './policy_line.ts'

export const PRIVATE_BYTES_MAX = 8 << 20

interface Mail {
  mode: string
  outer?: string[][]
  part?: number
  parts?: number
  eol?: 'lf' | 'crlf' | 'mixed'
  skeleton?: Uint8Array
}

export interface PrivateLine {
  name?: string
  type?: string
  modified?: string
  subject?: string
  created?: string
  recipients?: Recipient[][]
  signer?: string
  mail?: Mail
}

const SHAPES = new Map([
  ['message', ['outer']],
  ['attachment', ['part', 'parts', 'eol', 'skeleton']],
])

const headerField = listOf(2, text())

function pair(value: Json): string[] {
  const taken = headerField(value)
  require(taken.length === 2, 'not a pair')
  return taken
}

const part = number(1, 4_294_967_295)

const MAIL: Table<Mail> = {
  mode: text(),
  outer: listOf(256, pair),
  part,
  parts: part,
  eol: word('lf', 'crlf', 'mixed'),
  skeleton: base64(32),
}

/** The mode is judged when the object closes: it may come last. */
function mail(value: Json): Mail {
  const found = members(value, MAIL, ['mode'])
  const due = SHAPES.get(found.mode)
  if (due === undefined) throw new EnvelopeError('newer', `mail in the mode ${found.mode}`)
  const has = Object.keys(found).filter(name => name !== 'mode')
  require(has.length === due.length && due.every(name => has.includes(name)), 'mail has not the members of its mode')
  require((found.part ?? 0) <= (found.parts ?? 0), 'part is more than parts')
  return found
}

const PRIVATE: Table<PrivateLine> = {
  name: text(255),
  type: text(255),
  modified: time,
  subject: text(4096),
  created: time,
  recipients: listOf(LOCKS_MAX, recipients),
  signer: id,
  mail,
}

/** Step 10. */
export function parsePrivate(line: string, policy: Policy): PrivateLine {
  const found = members(parse(line), PRIVATE, [])
  require(('signer' in found) === (policy.private && policy.signed), 'signer stands where it is not due, or is missing')
  require(('recipients' in found) === policy.private, 'recipients stand where they are not due, or are missing')
  const lists = found.recipients
  if (lists === undefined) return found
  const locks = locksOfPeople(policy)
  require(lists.length === locks.length, 'not one list for each lock')
  checkCount(lists)
  locks.forEach((lock, at) => checkList(lock, lists[at] ?? []))
  return found
}
