// Large envelopes: how fast, with how much memory, and that what is saved is right to the byte.

import { createHash, randomBytes, randomFillSync } from 'node:crypto'
import { createReadStream, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { openPage } from './launch.mjs'
import { isClosed } from './opening.mjs'
import { arrived, choose, shown, textOf, tryPassphrase } from './person.mjs'
import { expect, PAGE_URL, sha256 } from './places.mjs'

const MIB = 1 << 20
const SAMPLE_MS = 250
/** Content in Blobs is kept once. */
const BLOB_MEMORY_MAX = 1.2
/** What the browser takes for a page at work, however large the file is: the worker, Argon2, pieces under way. */
const FIXED_BYTES = 96 * MIB
const PICKED_BYTES = 300 * MIB
/** Two passes take no more than that, whatever the size. */
const PICKER_MEMORY_MAX = 256 * MIB

/** By Blobs and the link. A little below 256 MiB with its tags, so that no browser takes the picker. */
export async function opensLarge(engine, program, mib) {
  expect(program, 'large envelopes are made by the program: --encl PATH')
  const bytes = (mib - 2) * MIB
  const fixture = program.byPassphrase('large.dat', randomBytes(bytes), '--anonymous')
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  await page.evaluate(watchClock)
  const memory = watchMemory(engine.browser.process().pid)
  expect((await tryPassphrase(page, fixture.passphrase)) === 'result', 'it opens')
  const seconds = await page.evaluate(() => globalThis.clock.seconds())
  const opened = memory.peak()
  await page.click('#save')
  const name = await arrived(engine.downloads, new Set())
  const saved = memory.stop()
  const path = join(engine.downloads, name)
  expect((await hashOf(path)) === fixture.sha, 'what is saved is what was sealed')
  rmSync(path)
  await isClosed(page, log)
  expect(opened <= BLOB_MEMORY_MAX * bytes + FIXED_BYTES, `opening takes ${times(opened, bytes)} of memory`)
  return `${rate(bytes, seconds)}, memory ${times(opened, bytes)}, with saving ${times(saved, bytes)}`
}

/** Over 256 MiB where there is a picker, which the test stands in for: two passes, and a damaged end calls it never. */
export async function picksLarge(engine, program) {
  expect(program, 'large envelopes are made by the program: --encl PATH')
  const bytes = randomFillSync(Buffer.alloc(PICKED_BYTES))
  const fixture = program.byPassphrase('larger.dat', bytes, '--anonymous')
  const { page, log } = await openWithPicker(engine, fixture)
  await page.evaluate(watchClock)
  const memory = watchMemory(engine.browser.process().pid)
  expect((await tryPassphrase(page, fixture.passphrase)) === 'result', 'it opens')
  const checked = await page.evaluate(() => globalThis.clock.seconds())
  expect((await page.evaluate(() => globalThis.picked.calls)) === 0, 'the picker is not called before Save')
  await page.evaluate(() => globalThis.clock.restart())
  await page.click('#save-as')
  await page.waitForFunction(() => !document.getElementById('saved').hidden, { timeout: 120_000 })
  const written = await page.evaluate(() => globalThis.clock.seconds())
  const peak = memory.stop()
  const { closed, name, pieces } = await page.evaluate(() => globalThis.picked)
  expect(closed === 1 && name === 'larger.dat', `the file was closed, as ${name}`)
  expect(isMadeOf(bytes, pieces), 'what is written is what was sealed')
  await isClosed(page, log)
  expect(peak <= PICKER_MEMORY_MAX, `two passes take ${Math.round(peak / MIB)} MiB of memory`)

  truncateSync(fixture.path, PICKED_BYTES)
  const other = await openWithPicker(engine, fixture)
  expect((await tryPassphrase(other.page, fixture.passphrase)) === 'failure', 'a cut envelope is not opened')
  expect((await other.page.evaluate(() => globalThis.picked.calls)) === 0, 'the picker is never called for it')
  // Cut inside a chunk, whose tag is wrong then.
  expect((await textOf(other.page, 'failure-text')).includes('is damaged'), 'the page says that it is damaged')
  await other.page.close()
  return `checked with ${rate(PICKED_BYTES, checked)}, written with ${rate(PICKED_BYTES, written)}, memory +${Math.round(peak / MIB)} MiB`
}

/** The page with a picker that keeps the hashes of what is written, so that the memory is the page's own. */
async function openWithPicker(engine, fixture) {
  const opened = await openPage(engine, { url: 'about:blank' })
  await opened.page.evaluateOnNewDocument(() => {
    const picked = { calls: 0, closed: 0, pieces: [], name: '' }
    globalThis.picked = picked
    const stream = {
      write: async (bytes) => {
        const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
        picked.pieces.push({ bytes: bytes.length, sha: Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('') })
      },
      close: async () => void (picked.closed += 1),
      abort: async () => void (picked.pieces = []),
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

/** Whether the bytes are these pieces, one behind the other. */
function isMadeOf(bytes, pieces) {
  let at = 0
  for (const piece of pieces) {
    if (sha256(bytes.subarray(at, at + piece.bytes)) !== piece.sha) return false
    at += piece.bytes
  }
  return at === bytes.length
}

/** In the page: the time from the first progress that is shown to the end of the work, without typing and Argon2. */
function watchClock() {
  let [begun, ended] = [0, 0]
  const [percent, working] = ['percent', 'working'].map((id) => document.getElementById(id))
  new MutationObserver(() => {
    if (begun === 0 && percent.textContent !== '') begun = performance.now()
  }).observe(percent, { childList: true })
  new MutationObserver(() => {
    if (working.hidden) ended = performance.now()
  }).observe(working, { attributes: true })
  globalThis.clock = {
    restart: () => void ([begun, ended] = [0, 0]),
    seconds: () => (begun > 0 && ended > begun ? (ended - begun) / 1000 : undefined),
  }
}

function rate(bytes, seconds) {
  expect(seconds > 0, 'progress was shown before the end')
  return `${Math.round(bytes / 1e6 / seconds)} MB/s`
}

const times = (memory, bytes) => `${(memory / bytes).toFixed(2)} x the content`

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
  const peak = () => most - first
  return {
    peak,
    stop: () => {
      clearInterval(timer)
      return peak()
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
