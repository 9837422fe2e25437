// Where page, kit and outputs are, and small things that every check needs.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { inflateSync } from 'node:zlib'
import { readCase } from '../kit.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
export const READER = join(HERE, '..', '..')
export const PAGE = join(READER, 'dist', 'reader.html')
export const PAGE_URL = pathToFileURL(PAGE).href
export const KIT = join(READER, '..', '..', 'tests', 'vectors', 'kit')

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** A folder that is there. */
export function folder(...path) {
  const made = join(...path)
  mkdirSync(made, { recursive: true })
  return made
}

/** A case of the kit: its lines, and the bytes that a reader is given. */
export function kitCase(name) {
  const { headers, bytes } = readCase(join(KIT, name))
  return { ...headers, name, bytes: Buffer.from(bytes) }
}

/** The names of all cases of one folder of the kit. */
export function kitNames(kind) {
  return readdirSync(join(KIT, kind)).sort().map((name) => `${kind}/${name}`)
}

/** A key of the kit: an identity line. */
export function kitKey(name) {
  return readFileSync(join(KIT, 'keys', name))
}

/** The worker's text as it stands in the page's script: its longest string. */
export function workerText() {
  const [packed] = readFileSync(PAGE, 'utf8').match(/"[\w+/]{20000,}=*"/) ?? []
  return inflateSync(Buffer.from(packed, 'base64')).toString()
}

/** Fails with a sentence unless it holds. */
export function expect(holds, what) {
  if (!holds) throw new Error(what)
}
