// The built page in real browsers, from `file:`, as a person uses it.
//
//   node test/browsers.mjs [--only chromium|firefox|webkit] [--encl PATH] [--kit] [--large] [--huge] [--shots] [--webkit] [--out DIR] [--check WORD]
//
// Without a choice of checks: opening, closedness, keyboard, accessibility. `--all` is everything but --huge and --webkit.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { answersInvitation } from './browsers/answering.mjs'
import { checkAccess, keyboardOnly } from './browsers/access.mjs'
import { policyHolds } from './browsers/closed.mjs'
import { ofKit, Program } from './browsers/fixtures.mjs'
import { opensEmbedded, refusesBadPages } from './browsers/html.mjs'
import { runKit } from './browsers/kit.mjs'
import { opensLarge, picksLarge } from './browsers/large.mjs'
import { launch, withoutPolicy } from './browsers/launch.mjs'
import { byDrop, byKeyFile, byPassphrase, damaged, keepsDropped, noEnvelope, twoLocked } from './browsers/opening.mjs'
import { expect, folder } from './browsers/places.mjs'
import { takeShots } from './browsers/shots.mjs'
import { inWebKit, kitInWebKit, opensInWebKit } from './webkit.mjs'

const flags = ['kit', 'large', 'huge', 'shots', 'webkit', 'all']
const { values: wish } = parseArgs({
  options: {
    only: { type: 'string' },
    encl: { type: 'string' },
    out: { type: 'string' },
    check: { type: 'string' },
    ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean', default: false }])),
  },
})
const out = wish.out ? folder(wish.out) : mkdtempSync(join(tmpdir(), 'encl-browsers-'))
const work = mkdtempSync(join(tmpdir(), 'encl-browsers-work-'))
const results = []

/** Runs one check and goes on, whatever comes of it. */
async function check(engine, name, run) {
  if (wish.check && !name.includes(wish.check)) return
  const start = performance.now()
  try {
    const figure = await run()
    results.push(true)
    console.log(`ok    ${engine}  ${name}  ${Math.round(performance.now() - start)} ms${figure ? `  ${figure}` : ''}`)
  } catch (error) {
    results.push(false)
    console.log(`FAIL  ${engine}  ${name}  ${error instanceof Error ? error.message : error}`)
  }
}

function fixtures() {
  const kit = ofKit(folder(work, 'kit'))
  if (!wish.encl) return { ...kit, program: undefined }
  const program = new Program(wish.encl, join(work, 'program'))
  program.people()
  const made = program.five()
  return { passphrase: [...made.passphrase, ...kit.passphrase], key: [...made.key, ...kit.key], program }
}

async function kitInPage(engine) {
  return counted(await withoutPolicy(engine, {}, runKit))
}

function counted({ count, wrong }) {
  expect(wrong.length === 0, `${wrong.length} of ${count}:\n  ${wrong.slice(0, 40).join('\n  ')}`)
  return `${count} cases`
}

async function inBrowser(name, { passphrase, key, program }) {
  const engine = await launch(name)
  const run = (what, how) => check(name, what, how)
  console.log(`      ${name}  ${engine.version}`)
  try {
    await run('policy, requests', () => policyHolds(engine))
    for (const fixture of passphrase) await run(`passphrase ${fixture.name}`, () => byPassphrase(engine, fixture))
    for (const fixture of key) await run(`key file ${fixture.name}`, () => byKeyFile(engine, fixture))
    await run('drop', () => byDrop(engine, key[0]))
    await run('dropped before', () => keepsDropped(engine, passphrase[0], key[0], key[key.length - 1].keyFile))
    if (program) await run('two locked key files', () => twoLocked(engine, key[0], program.otherKeyFile))
    await run('damaged last byte', () => damaged(engine, passphrase[0], work))
    await run('no envelope', () => noEnvelope(engine, work))
    await run('keyboard alone', () => keyboardOnly(engine, passphrase[1]))
    await run('axe', () => checkAccess(engine, { passphrase, key }))
    await run('envelope inside the page', () => opensEmbedded(engine, passphrase[0], work))
    await run('attacks on the page', () => refusesBadPages(engine, passphrase[0], work))
    if (program) await run('invitation', () => answersInvitation(engine, program))
    if (wish.kit || wish.all) await run('kit', () => kitInPage(engine))
    if (wish.large || wish.all) await run('256 MiB', () => opensLarge(engine, program, 256))
    // Chromium never gets there: it has a picker, and its Blobs end at half of that.
    if (name === 'firefox' && wish.huge) await run('1 GiB', () => opensLarge(engine, program, 1024))
    if (name === 'chromium' && (wish.large || wish.all)) await run('picker', () => picksLarge(engine, program))
    if (name === 'chromium' && (wish.shots || wish.all)) await run('screenshots', () => takeShots(engine, { passphrase, key, program }, out))
  } finally {
    await engine.close()
  }
}

async function checksInWebKit(browser, { passphrase }) {
  for (const fixture of passphrase) await check('webkit', `passphrase ${fixture.name}`, () => opensInWebKit(browser, fixture))
  if (!wish.kit && !wish.all) return
  const blank = join(work, 'blank.html')
  writeFileSync(blank, '<!doctype html>')
  await check('webkit', 'kit', async () => counted(await kitInWebKit(browser, pathToFileURL(blank).href)))
}

const found = fixtures()
for (const name of wish.only ? [wish.only] : ['chromium', 'firefox']) if (name !== 'webkit') await inBrowser(name, found)
if (wish.webkit || wish.only === 'webkit') await inWebKit((browser) => checksInWebKit(browser, found))
console.log(`${results.filter(Boolean).length} of ${results.length}; outputs in ${out}`)
process.exitCode = results.every(Boolean) ? 0 : 1
