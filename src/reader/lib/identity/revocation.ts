// Revocations: the identity that is ended, signed by its root key.

import { fromHex } from '../bytes.ts'
import { verifies } from '../crypto/signing.ts'
import { EnvelopeError } from '../error.ts'
import { members, type Table } from '../json/members.ts'
import { parse, textOf } from '../json/scan.ts'
import { id, time, word } from '../json/values.ts'
import { readSigned } from './carrier.ts'

interface RevocationLine {
  revocation: 'encl/1'
  id: string
  created: string
}

const REVOCATION: Table<RevocationLine> = { revocation: word('encl/1'), id, created: time }

/** The identity that is ended and when. Throws `EnvelopeError`. */
export function readRevocation(text: Uint8Array): { id: string; created: string } {
  const { line, signature } = readSigned('encl-revocation1:', text)
  const found = members(parse(textOf(line)), REVOCATION, ['revocation', 'id', 'created'])
  if (!verifies(fromHex(found.id), 'revocation', line, signature)) throw new EnvelopeError('signature', 'of the revocation')
  return { id: found.id, created: found.created }
}
