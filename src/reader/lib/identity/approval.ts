// Approvals: what one holder sends another so that a lock opens.

import { byte } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'
import { members, type Table } from '../json/members.ts'
import { parse, textOf } from '../json/scan.ts'
import { base64, id, number, word } from '../json/values.ts'
import { CONTENT_BYTES_MAX, TEXT_BYTES_MAX, readCarried } from './carrier.ts'

/** An approval whose form was judged. Whether it opens shows in its envelope. */
export interface Approval {
  /** P of its envelope, in hexadecimal. */
  readonly policy: string
  readonly lock: number
  /** The id of the key that it is sealed to, in hexadecimal. */
  readonly key: string
  readonly enc: Uint8Array
  readonly ct: Uint8Array
}

interface ApprovalLine {
  approval: 'encl/1'
  policy: string
  lock: number
  key: string
  enc: Uint8Array
  ct: Uint8Array
}

const APPROVAL: Table<ApprovalLine> = {
  approval: word('encl/1'),
  policy: id,
  lock: number(0, 7),
  key: id,
  enc: base64(32, 1120),
  ct: base64(48, 49),
}

const LF = 0x0a
const BRACE = 0x7b

/** Throws `EnvelopeError`. */
export function readApproval(text: Uint8Array): Approval {
  return members(parse(textOf(lineOf(text))), APPROVAL, ['approval', 'policy', 'lock', 'key', 'enc', 'ct'])
}

function lineOf(text: Uint8Array): Uint8Array {
  if (text.length > TEXT_BYTES_MAX) throw new EnvelopeError('over-limit', 'the text')
  if (text[0] === BRACE) {
    const line = byte(text, text.length - 1) === LF ? text.subarray(0, -1) : text
    if (line.length > CONTENT_BYTES_MAX) throw new EnvelopeError('over-limit', 'the line')
    return line
  }
  const content = readCarried('encl-approval1:', text, 'not-an-approval')
  if (content[content.length - 1] !== LF) throw new EnvelopeError('mangled', 'no line feed at its end')
  return content.subarray(0, -1)
}
