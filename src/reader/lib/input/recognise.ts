// Step 1 of reading: what the first bytes are.

import { concat, equal, startsWith, utf8 } from '../bytes.ts'
import { EnvelopeError } from '../error.ts'
import { ArmorSource, BEGIN } from './armor.ts'
import { type FileSource, Reading } from './source.ts'

const LINE_1 = utf8('encl/1\n')
const LINE_1_CR = utf8('encl/1\r')
const OTHER_ENCODINGS = [[0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf]].map(mark => new Uint8Array(mark))
const VERSION = /^encl\/([0-9]+)/
const ARMOR_OF_A_VERSION = /^-----BEGIN ENCL\/[0-9]/

/** What stands behind line 1, and whether armor was taken off. */
interface Recognised {
  readonly reading: Reading
  readonly isArmored: boolean
}

export async function recognise(source: FileSource): Promise<Recognised> {
  const plain = new Reading(source)
  const head = await plain.read(LINE_1.length)
  if (!equal(head, BEGIN.subarray(0, LINE_1.length))) {
    judge(head)
    return { reading: plain, isArmored: false }
  }
  judgeArmor(concat(head, await plain.read(BEGIN.length - LINE_1.length)))
  const reading = new Reading(new ArmorSource(source))
  judge(await reading.read(LINE_1.length))
  return { reading, isArmored: true }
}

function judge(head: Uint8Array): void {
  if (equal(head, LINE_1)) return
  const isOtherEncoding = OTHER_ENCODINGS.some(mark => startsWith(head, mark))
  if (isOtherEncoding || equal(head, LINE_1_CR)) throw new EnvelopeError('mangled', 'line 1 was changed')
  const version = VERSION.exec(latin(head))
  if (version && version[1] !== '1') throw new EnvelopeError('newer', `version ${version[1]}`)
  if (head.length > 0 && head.length < LINE_1.length && startsWith(LINE_1, head)) {
    throw new EnvelopeError('truncated', 'it ends in line 1')
  }
  throw new EnvelopeError('not-an-envelope', 'another first line')
}

function judgeArmor(head: Uint8Array): void {
  if (equal(head, BEGIN)) return
  if (head.length < BEGIN.length && startsWith(BEGIN, head)) throw new EnvelopeError('truncated', 'it ends in the line BEGIN')
  if (ARMOR_OF_A_VERSION.test(latin(head))) throw new EnvelopeError('newer', 'armor of another version')
  throw new EnvelopeError('not-an-envelope', 'another first line')
}

/** One character for each byte. */
function latin(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
