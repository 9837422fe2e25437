// The worker's and the page's ends of their messages: content that is handed over, bytes that are asked for, failures that are told.
//
//     node --test test/working.mjs

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zlibSync } from 'fflate'

import { load } from './bundle.mjs'

// What a browser has, and what the build puts into the page.
globalThis.navigator ??= { language: 'en' }
globalThis.VERSION = '0'
globalThis.PACKED_WORKER = Buffer.from(zlibSync(Buffer.from('the worker'))).toString('base64')

const MODULES = ['working/keeping', 'working/page_input', 'working/failure', 'words/failures', 'client'].map((name) => `page/${name}`)
const { EngineError, argon2Of, handOver, pageInput, failed, sentence, ask, stop, Stopped } = await load('lib/error', 'lib/crypto/passphrase', ...MODULES)

const MIB = 1 << 20
/** Lets everything run that waits for nothing from outside. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5))

test('the next piece fills while one is handed over, and no third one begins', async () => {
  const taken = []
  const keeping = handOver((bytes) => new Promise((resolve) => taken.push({ bytes, resolve })))
  let written = 0
  const writing = (async () => {
    for (let number = 0; number < 16; number++) {
      await keeping.write(new Uint8Array(MIB).fill(number))
      written++
    }
    await keeping.finish()
  })()
  await settled()
  assert.equal(taken.length, 1, 'one piece is under way')
  assert.equal(written, 7, 'the second one is full, and waits')
  for (let piece = 0; piece < 4; piece++) {
    assert.equal(taken.length, piece + 1)
    taken[piece].resolve()
    await settled()
  }
  await writing
  assert.deepEqual(taken.map(({ bytes }) => bytes.length), Array(4).fill(4 * MIB))
  assert.deepEqual(taken.map(({ bytes }) => [bytes[0], bytes[4 * MIB - 1]]), [[0, 3], [4, 7], [8, 11], [12, 15]])
})

test('what the page gives back is filled again', async () => {
  const handed = []
  const keeping = handOver(async (bytes) => {
    handed.push(bytes.slice())
    return bytes.fill(0xff)
  })
  for (let number = 0; number < 5; number++) await keeping.write(new Uint8Array(3 * MIB).fill(number))
  await keeping.finish()
  assert.deepEqual(handed.map(({ length }) => length / MIB), [4, 4, 4, 3])
  const all = Buffer.concat(handed)
  for (let number = 0; number < 5; number++) assert.ok(all.subarray(3 * MIB * number, 3 * MIB * (number + 1)).every((byte) => byte === number))
})

test('a piece that was not taken fails what comes next, and the end', async () => {
  const keeping = handOver(() => Promise.reject(new Error('full')))
  await keeping.write(new Uint8Array(4 * MIB))
  await assert.rejects(keeping.finish(), /full/)
})

test('a file is asked for in pieces, two of them ahead and no more', async () => {
  const size = 30 * MIB
  const asked = []
  const input = pageInput(async (start, end) => {
    asked.push([start / MIB, end / MIB])
    return new Uint8Array(end - start).map((_, at) => (start + at) >> 20)
  }, 0, size)
  assert.deepEqual([...new Set(await input.read(0, MIB))], [0])
  assert.deepEqual(asked, [[0, 4], [4, 8], [8, 12]])
  const over = await input.read(4 * MIB - 1, 4 * MIB + 1)
  assert.deepEqual([...over], [3, 4], 'what lies in two pieces is joined')
  assert.equal(asked.length, 3, 'nothing is asked for twice')
  await input.read(5 * MIB, 6 * MIB)
  assert.deepEqual(asked.slice(3), [[12, 16]])
  await input.read(size - 1, size)
  assert.deepEqual(asked.slice(4), [[28, 30]], 'nothing behind the end is asked for')
})

test('a file that became shorter is told', async () => {
  const input = pageInput(async () => new Uint8Array(3), 0, 10)
  await assert.rejects(input.read(0, 5), { name: 'InputError' })
})

test('a passphrase that the browser cannot try says its cost, and what is lacking', async () => {
  const given = { envelope: '', identity: ['key'], card: [], approval: [] }
  const cases = [['plain', 19, 'no-wasm', /WebAssembly/], ['wasm', 40, 'no-memory', /it needs 1,024.TiB/]]
  for (const [choice, cost, kind, says] of cases) {
    const error = await argon2Of(choice)(new Uint8Array(1), new Uint8Array(16), cost).catch((found) => found)
    assert.ok(error instanceof EngineError, String(error))
    const told = failed(error)
    assert.deepEqual([told.kind, told.detail], [kind, { cost }])
    assert.match(sentence(told, given).join(''), says)
  }
})

/** In place of a browser's worker: it keeps what it is told, and says what a test says. */
class FakeWorker extends EventTarget {
  static all = []
  told = []
  isEnded = false

  constructor() {
    super()
    FakeWorker.all.push(this)
  }

  postMessage(message) {
    this.told.push(message)
  }

  terminate() {
    this.isEnded = true
  }

  says(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }
}

test('what a worker asks is answered to it, and not to the one that came after it', async () => {
  globalThis.Worker = FakeWorker
  const started = async (count) => {
    while (FakeWorker.all.length < count || FakeWorker.all[count - 1].told.length === 0) await settled()
    return FakeWorker.all[count - 1]
  }
  let take
  const slow = { piece: () => new Promise((resolve) => (take = resolve)), file: new Blob(['x'.repeat(100)]) }
  const first = ask({ ask: 'open' }, 'opened', slow)
  const one = await started(1)
  one.says({ say: 'piece', bytes: new Uint8Array(1) })
  one.says({ say: 'want', number: 7, start: 0, end: 5 })
  stop()
  await assert.rejects(first, (error) => error instanceof Stopped)
  const second = ask({ ask: 'look' }, 'looked')
  const other = await started(2)
  take()
  await settled()
  assert.deepEqual(other.told, [{ ask: 'look' }], 'the second worker hears of its own question only')
  one.says({ say: 'looked', claim: 'of the first' })
  other.says({ say: 'looked', claim: 'of the second' })
  assert.equal((await second).claim, 'of the second')
})
