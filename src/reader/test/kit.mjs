// Answers the cases of a test kit: FORMAT.md, "A test kit".

import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const KINDS = ['approval', 'card', 'envelope', 'gate', 'group', 'identity', 'revocation']
const ANSWERS = ['expect', 'payload', 'admission', 'fingerprint']

/** One file of a kit: its header lines, those that may be repeated as lists, and the bytes that a reader is given. */
export function readCase(path) {
  const file = readFileSync(path)
  const end = file.indexOf('\n\n')
  const found = { identity: [], approval: [] }
  for (const line of file.subarray(0, end).toString('utf8').split('\n')) {
    const colon = line.indexOf(': ')
    const [name, value] = [line.slice(0, colon), line.slice(colon + 2)]
    if (name in found && Array.isArray(found[name])) found[name].push(value)
    else found[name] = value
  }
  return { headers: found, bytes: new Uint8Array(file.subarray(end + 2)) }
}

/** Reads each identity once: the keys of X-Wing are made from their seeds. */
function identitiesIn(lib, folder) {
  const known = new Map()
  return name => {
    if (!known.has(name)) known.set(name, lib.readIdentity(readFileSync(join(folder, 'keys', name))))
    return known.get(name)
  }
}

/** What the header lines of a case have to be. */
async function answerCase(lib, folder, kind, { headers, bytes }, identity, argon2) {
  const found = {}
  const hash = createHash('sha256')
  try {
    if (kind === 'card') found.fingerprint = lib.readCard(bytes).id
    else if (kind === 'gate') found.fingerprint = lib.readGateCard(bytes).id
    else if (kind === 'group') found.fingerprint = lib.readGroup(bytes).keeper
    else if (kind === 'revocation') found.fingerprint = lib.readRevocation(bytes).id
    else if (kind === 'approval') lib.readApproval(bytes)
    else if (kind === 'identity') found.fingerprint = (await lib.readIdentity(bytes, headers.passphrase, argon2)).id
    else {
      const identities = await Promise.all(headers.identity.map(identity))
      const approvals = headers.approval.map(name => lib.readApproval(readCase(join(folder, 'approval', name)).bytes))
      const keys = { identities, approvals, cards: [], passphrase: headers.passphrase }
      const output = { write: async content => void hash.update(content) }
      const now = headers.now ?? '2026-11-24T12:00:00Z'
      found.admission = (await lib.open(lib.fromBytes(bytes), keys, output, { now, argon2 })).admission
    }
    found.expect = 'success'
  } catch (error) {
    if (!(error instanceof lib.EnvelopeError)) throw error
    found.expect = error.kind === 'gate' ? 'quorum' : error.kind
  }
  if (kind === 'envelope') found.payload = hash.digest('hex')
  return found
}

/** All cases of a kit by their folder and name. */
function casesIn(folder) {
  const namesOf = kind => readdirSync(join(folder, kind)).sort()
  return KINDS.flatMap(kind => namesOf(kind).map(name => ({ kind, name, one: readCase(join(folder, kind, name)) })))
}

/** What is said of a case that is answered otherwise. */
function difference({ kind, name, one }, found) {
  if (ANSWERS.every(line => found[line] === one.headers[line])) return undefined
  const due = Object.fromEntries(ANSWERS.map(line => [line, one.headers[line]]))
  return `${kind}/${name}: due ${JSON.stringify(due)}, found ${JSON.stringify(found)}`
}

/** Tells each case that is answered otherwise, and how many there are. Those with a passphrase do not wait for each other. */
export async function kit(lib, folder, argon2) {
  const identity = identitiesIn(lib, folder)
  const cases = casesIn(folder)
  const answers = cases.map(one => answerCase(lib, folder, one.kind, one.one, identity, argon2))
  let wrong = 0
  for (const [at, answer] of answers.entries()) {
    const told = difference(cases[at], await answer)
    if (told === undefined) continue
    wrong++
    console.log(told)
  }
  console.log(`${cases.length} cases, ${wrong} answered otherwise`)
  return wrong === 0
}
