// The reader in Node. It answers as tests/second_reader/reader.py does, so that tests can ask both.
//
//     run.mjs [--identity FILE]... [--approval FILE]... [--passphrase TEXT] [--now TIME] [--output FILE] FILE
//     run.mjs --batch FILE      one JSON object a line: {"file", "identities", "approvals", "passphrase", "now"}
//     run.mjs --card FILE       checks a card
//     run.mjs --kit FOLDER      answers every case of a test kit, and tells those that it answers otherwise
//     run.mjs --size            bytes of the library, minified and packed
//
// Each answer is one line of JSON: {"class": "ok" or the class, "bytes": N, "sha256": of all plaintext released, "why": text}.

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

import { remembering } from './argon2.mjs'
import { kit } from './kit.mjs'
import { load, minified } from './lib.mjs'

/** Counts and hashes content instead of keeping it. */
class Released {
  bytes = 0
  hash = createHash('sha256')

  async write(bytes) {
    this.bytes += bytes.length
    this.hash.update(bytes)
  }
}

/** A file as an input, of a page the armor in it. `close` it. */
async function inputOf(lib, path) {
  const input = fileInput(path)
  if (lib.kindOf(await input.read(0, Math.min(input.size, 1 << 16))) !== 'html') return input
  const { start, end, fault } = lib.findArmor(readFileSync(path))
  return { size: end - start, fault, read: (from, to) => input.read(start + from, start + to), close: input.close }
}

function fileInput(path) {
  const file = openSync(path, 'r')
  const read = async (start, end) => {
    const bytes = new Uint8Array(end - start)
    const count = readSync(file, bytes, 0, bytes.length, start)
    return bytes.subarray(0, count)
  }
  return { size: fstatSync(file).size, read, close: () => closeSync(file) }
}

/** The class of a failure. Whether a server could open the last lock is the page's own word for `quorum`. */
function classOf(lib, error) {
  if (!(error instanceof lib.EnvelopeError)) throw error
  return error.kind === 'gate' ? 'quorum' : error.kind
}

function thisMoment() {
  return new Date().toISOString().replace(/\.[0-9]+Z$/, 'Z')
}

class Reader {
  identities = new Map()

  constructor(lib) {
    this.lib = lib
    this.argon2 = remembering()
  }

  async identity(path, passphrase) {
    if (!this.identities.has(path)) {
      this.identities.set(path, await this.lib.readIdentity(readFileSync(path), passphrase, this.argon2))
    }
    return this.identities.get(path)
  }

  async judge(question, output = undefined) {
    const { lib } = this
    const released = new Released()
    let input
    try {
      input = await inputOf(lib, question.file)
      const approvals = (question.approvals ?? []).map(path => lib.readApproval(readFileSync(path)))
      const identities = []
      for (const path of question.identities ?? []) identities.push(await this.identity(path, question.passphrase))
      const passphrase = question.passphrase ?? undefined
      const keys = { identities, approvals, cards: [], ...(passphrase !== undefined && { passphrase }) }
      const write = async bytes => {
        await released.write(bytes)
        if (output !== undefined) writeSync(output, bytes)
      }
      const options = { now: question.now ?? thisMoment(), argon2: this.argon2 }
      const opened = await lib.open(input, keys, { write }, options)
      return answer('ok', released, { admission: opened.admission })
    } catch (error) {
      return answer(classOf(lib, error), released, { why: error.why })
    } finally {
      input?.close()
    }
  }
}

function answer(name, released, more) {
  return { class: name, bytes: released.bytes, sha256: released.hash.digest('hex'), ...more }
}

function tell(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

async function batch(lib, path) {
  const reader = new Reader(lib)
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.trim() !== '') tell(await reader.judge(JSON.parse(line)))
  }
}

function card(lib, path) {
  try {
    const { id, name } = lib.readCard(readFileSync(path))
    return { class: 'ok', id, name }
  } catch (error) {
    return { class: classOf(lib, error), why: error.why }
  }
}

async function size() {
  const bytes = await minified()
  tell({ minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length })
}

async function main() {
  const text = { type: 'string' }
  const texts = { type: 'string', multiple: true, default: [] }
  const options = {
    identity: texts, approval: texts, passphrase: text, now: text, output: text, batch: text, card: text, kit: text,
    size: { type: 'boolean' },
  }
  const { values: given, positionals } = parseArgs({ options, allowPositionals: true })
  if (given.size) return size()
  const lib = await load()
  if (given.kit) process.exitCode = (await kit(lib, given.kit, remembering())) ? 0 : 1
  else if (given.batch) await batch(lib, given.batch)
  else if (given.card) tell(card(lib, given.card))
  else if (positionals.length === 1) {
    const { identity: identities, approval: approvals, passphrase, now } = given
    const output = given.output === undefined ? undefined : openSync(given.output, 'wx')
    tell(await new Reader(lib).judge({ file: positionals[0], identities, approvals, passphrase, now }, output))
  } else throw new Error('a file, --batch, --card, --kit or --size is needed')
}

await main()
