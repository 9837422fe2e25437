// Large envelopes: how fast, with how much memory, and that what is saved is right to the byte.

import { createHash, randomBytes, randomFillSync } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { openPage } from './launch.mjs'
import { isClosed } from './opening.mjs'
import { arrived, choose, shown, textOf, tryPassphrase } from './person.mjs'
import { expect, PAGE_URL } from './places.mjs'

const MIB = 1 << 20
const SAMPLE_MS = 500

/** By Blobs and the link. A little below 256 MiB with its tags, so that no browser takes the picker. */
export async function opensLarge(engine, program, mib) {
  expect(program, 'large envelopes are made by the program: --encl PATH')
  const fixture = program.byPassphrase('large.dat', randomBytes((mib - 2) * MIB), '--anonymous')
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  const memory = watchMemory(engine.browser.process().pid)
  const start = performance.now()
  expect((await tryPassphrase(page, fixture.passphrase)) === 'result', 'it opens')
  const opened = performance.now() - start
  await page.click('#save')
  const name = await arrived(engine.downloads, new Set())
  const peak = memory.stop()
  const path = join(engine.downloads, name)
  expect((await hashOf(path)) === fixture.sha, 'what is saved is what was sealed')
  rmSync(path)
  await isClosed(page, log)
  const rate = (mib * MIB) / 1e6 / (opened / 1000)
  return `${Math.round(rate)} MB/s with Argon2, memory +${Math.round(peak / MIB)} MiB (${(peak / (mib * MIB)).toFixed(2)} times)`
}

/** Over 256 MiB where there is a picker, which the test stands in for: two passes, and a damaged end calls it never. */
export async function picksLarge(engine, program) {
  expect(program, 'large envelopes are made by the program: --encl PATH')
  const bytes = randomFillSync(Buffer.alloc(300 * MIB))
  const fixture = program.byPassphrase('larger.dat', bytes, '--anonymous')
  const { page, log } = await openWithPicker(engine, fixture)
  expect((await tryPassphrase(page, fixture.passphrase)) === 'result', 'it opens')
  expect((await page.evaluate(() => globalThis.picked.calls)) === 0, 'the picker is not called before Save')
  await page.click('#save-as')
  await page.waitForFunction(() => !document.getElementById('saved').hidden, { timeout: 120_000 })
  const { sha, closed, name } = await page.evaluate(async () => {
    const { parts, ...rest } = globalThis.picked
    const hash = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer())
    return { ...rest, parts: 0, sha: Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('') }
  })
  expect(closed === 1 && name === 'larger.dat', `the file was closed, as ${name}`)
  expect(sha === fixture.sha, 'what is written is what was sealed')
  await isClosed(page, log)

  truncateSync(fixture.path, 300 * MIB)
  const other = await openWithPicker(engine, fixture)
  expect((await tryPassphrase(other.page, fixture.passphrase)) === 'failure', 'a cut envelope is not opened')
  expect((await other.page.evaluate(() => globalThis.picked.calls)) === 0, 'the picker is never called for it')
  // Cut inside a chunk, whose tag is wrong then.
  expect((await textOf(other.page, 'failure-text')).includes('is damaged'), 'the page says that it is damaged')
  await other.page.close()
  return 'two passes'
}

async function openWithPicker(engine, fixture) {
  const opened = await openPage(engine, { url: 'about:blank' })
  await opened.page.evaluateOnNewDocument(() => {
    const picked = { calls: 0, closed: 0, parts: [], name: '' }
    globalThis.picked = picked
    const stream = {
      write: async (bytes) => void picked.parts.push(new Blob([bytes])),
      close: async () => void (picked.closed += 1),
      abort: async () => void (picked.parts = []),
    }
    globalThis.showSaveFilePicker = async ({ suggestedName }) => {
      picked.calls += 1
      picked.name = suggestedName
      return { createWritable: async () => stream }
    }
  })
  await opened.page.goto(PAGE_URL)
  opened.log.requests.length = 0
  await choose(opened.page, 'envelope-file', fixture.path)
  await shown(opened.page, 'asking')
  return opened
}

async function hashOf(path) {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece)
  return hash.digest('hex')
}

/** The most memory over that of the start which the browser and its children have, shared pages counted once. */
function watchMemory(browser) {
  const first = memoryOf(browser)
  let most = first
  const timer = setInterval(() => (most = Math.max(most, memoryOf(browser))), SAMPLE_MS)
  // A check that fails does not wait for it.
  timer.unref()
  return {
    stop: () => {
      clearInterval(timer)
      return most - first
    },
  }
}

function memoryOf(browser) {
  const parents = new Map()
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const stat = read(`/proc/${id}/stat`)
    parents.set(Number(id), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
  }
  const isOfBrowser = (id) => id === browser || (parents.has(id) && parents.get(id) > 1 && isOfBrowser(parents.get(id)))
  const kib = (id) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${id}/smaps_rollup`))?.[1] ?? 0)
  return [...parents.keys()].filter(isOfBrowser).reduce((sum, id) => sum + kib(id) * 1024, 0)
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
