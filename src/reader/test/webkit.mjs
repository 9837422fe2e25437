// WebKitGTK, the engine of Safari with other cryptography: by WebDriver, in a display of its own.

import { spawn } from 'node:child_process'
import { runKit } from './browsers/kit.mjs'
import { expect, PAGE_URL } from './browsers/places.mjs'

const BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser'
const PORT = 7755
const DRIVER = `http://127.0.0.1:${PORT}`
/** How WebDriver names an element in JSON. */
const ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'
const WAIT_MS = 60_000

/** Calls `use` with a browser, which ends behind it. */
export async function inWebKit(use) {
  const driver = spawn('xvfb-run', ['-a', 'WebKitWebDriver', `--port=${PORT}`], { stdio: 'ignore', detached: true })
  try {
    const browser = await begin()
    try {
      return await use(browser)
    } finally {
      await browser.call('DELETE', '')
    }
  } finally {
    // The display ends with the driver: both are of this group.
    process.kill(-driver.pid)
  }
}

async function begin() {
  const options = { 'webkitgtk:browserOptions': { binary: BROWSER, args: ['--automation'] } }
  const { sessionId } = await patiently(() => ask('POST', '/session', { capabilities: { alwaysMatch: options } }))
  const call = (method, path, body) => ask(method, `/session/${sessionId}${path}`, body)
  await call('POST', '/timeouts', { script: 600_000 })
  const run = (script, ...args) => call('POST', '/execute/sync', { script, args })
  const later = (script, ...args) => call('POST', '/execute/async', { script, args })
  const type = async (id, text) => {
    const found = await call('POST', '/element', { using: 'css selector', value: `#${id}` })
    await call('POST', `/element/${found[ELEMENT]}/value`, { text })
  }
  return { call, run, later, type }
}

/** The kit, on a page that has no policy: a worker that a test makes is not in ours. `blank` is an empty page from a file. */
export async function kitInWebKit({ call, later }, blank) {
  await call('POST', '/url', { url: blank })
  const evaluate = async (step, ...given) => {
    const script = `const done = arguments[arguments.length - 1]
      Promise.resolve((${step})(...arguments[0])).then((answer) => done({ answer }), (error) => done({ error: String(error) }))`
    const { answer, error } = await later(script, given)
    if (error !== undefined) throw new Error(error)
    return answer
  }
  return runKit({ evaluate })
}

/** Wrong and right passphrase, and that the content behind the link is what was sealed. */
export async function opensInWebKit({ call, run, later, type }, fixture) {
  await call('POST', '/url', { url: PAGE_URL })
  const visible = (id) => patiently(async () => expect(await run(`return !document.getElementById('${id}').hidden`), `#${id} is not shown`))
  // What is behind the link cannot be fetched under the policy, so the Blob is kept as it is made.
  await run('const make = URL.createObjectURL; URL.createObjectURL = (blob) => { window.lastBlob = blob; return make.call(URL, blob) }')
  await type('envelope-file', fixture.path)
  await visible('asking')
  await type('passphrase', 'wrong')
  await run("document.getElementById('open').click()")
  await visible('asking-note')
  await run("document.getElementById('passphrase').value = ''")
  await type('passphrase', fixture.passphrase)
  await run("document.getElementById('open').click()")
  await visible('result')
  // Programs are offered after a second click.
  await run("if (!document.getElementById('risky').hidden) document.getElementById('risky-yes').click()")
  const hash = await later(`
    const done = arguments[0]
    const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
    window.lastBlob.arrayBuffer().then((bytes) => crypto.subtle.digest('SHA-256', bytes)).then((found) => done(hex(found)))`)
  expect(hash === fixture.sha, 'the content is what was sealed')
  return run('return navigator.userAgent')
}

async function ask(method, path, body) {
  const answer = await fetch(DRIVER + path, { method, ...(body && { body: JSON.stringify(body) }) })
  const { value } = await answer.json()
  if (!answer.ok) throw new Error(`${path}: ${value?.message ?? answer.status}`)
  return value
}

/** Tries until it works, or a minute is over. */
async function patiently(act) {
  const end = Date.now() + WAIT_MS
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}
