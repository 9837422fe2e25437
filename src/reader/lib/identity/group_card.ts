// Group cards. The page takes none; a reader that is held to the kit reads them.

import { fromHex } from '../bytes.ts'
import { verifies } from '../crypto/signing.ts'
import { EnvelopeError, require } from '../error.ts'
import { distinct, listOf, members, type Table } from '../json/members.ts'
import { type Json, parse, textOf } from '../json/scan.ts'
import { id, number, text, time, word } from '../json/values.ts'
import { readSigned } from './carrier.ts'

interface GroupLine {
  group: 'encl/1'
  keeper: string
  name: string
  address?: string
  serial: number
  created: string
  members: string[]
}

const GROUP_NAME = /^[a-z0-9][a-z0-9._-]*$/
const WHITE_SPACE = /\p{White_Space}/u

function groupName(value: Json): string {
  const taken = text(64)(value)
  require(GROUP_NAME.test(taken), 'not the name of a group')
  return taken
}

function groupAddress(value: Json): string {
  const taken = text(320)(value)
  const at = taken.lastIndexOf('@')
  require(at > 0 && at < taken.length - 1 && !WHITE_SPACE.test(taken), 'not an address')
  return taken
}

const GROUP: Table<GroupLine> = {
  group: word('encl/1'),
  keeper: id,
  name: groupName,
  address: groupAddress,
  serial: number(1, 9_999_999_999),
  created: time,
  members: listOf(1024, id),
}

/** A named set of people and who keeps it. Throws `EnvelopeError`. */
export function readGroup(text: Uint8Array): { keeper: string; name: string; members: string[] } {
  const { line, signature } = readSigned('encl-group1:', text)
  const group = members(parse(textOf(line)), GROUP, ['group', 'keeper', 'name', 'serial', 'created', 'members'])
  require(group.members.length > 0, 'an empty list')
  distinct(group.members, 'a member')
  if (!verifies(fromHex(group.keeper), 'group', line, signature)) throw new EnvelopeError('signature', 'of the group')
  return group
}
