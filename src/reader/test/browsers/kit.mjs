// The test kit in a browser: a worker made of the page's own worker text, spoken to in the page's own messages.

import { kitCase, kitKey, kitNames, workerText } from './places.mjs'

/** Folders of what the page reads. Cards of gates, group cards and revocations are nothing that it takes. */
const FOLDERS = ['approval', 'card', 'envelope', 'identity']
const AT_A_TIME = 40

/** Runs all cases and gives how many there were, and each that had another answer. */
export async function runKit(page) {
  await page.evaluate(startWorker, workerText())
  const names = FOLDERS.flatMap(kitNames)
  const wrong = []
  for (let at = 0; at < names.length; at += AT_A_TIME) {
    const cases = names.slice(at, at + AT_A_TIME).map(kitCase)
    const answers = await page.evaluate(askAll, cases.map(request))
    answers.forEach((answer, number) => {
      const due = expected(cases[number])
      if (answer !== due) wrong.push(`${cases[number].name}: due ${due}, came ${answer}`)
    })
  }
  return { count: names.length, wrong }
}

/** What the page would say to its worker; bytes in base64, because they travel as text to the browser. */
function request(found) {
  const kind = found.name.split('/')[0]
  const bytes = found.bytes.toString('base64')
  if (kind !== 'envelope') return { ask: 'read', as: kind, bytes, passphrase: found.passphrase }
  return {
    ask: 'open',
    file: bytes,
    keyFiles: found.identity.map((name) => kitKey(name).toString('base64')),
    approvals: found.approval.map((name) => kitCase(`approval/${name}`).bytes.toString('base64')),
    passphrase: found.passphrase,
    now: found.now,
  }
}

function expected({ name, expect, payload, admission, fingerprint }) {
  if (expect !== 'success') return expect
  if (name.startsWith('envelope/')) return `success ${payload} ${admission}`
  return fingerprint === undefined ? 'success' : `success ${fingerprint}`
}

/** In the page. */
function startWorker(text) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  globalThis.kitWorker = new Worker(url)
}

/** In the page: asks one case after the other, and gives one line for each. */
async function askAll(requests) {
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
  const worker = globalThis.kitWorker

  function message(asked) {
    const passphrase = asked.passphrase === undefined ? {} : { passphrase: asked.passphrase }
    if (asked.ask === 'read') return { ask: 'read', as: asked.as, bytes: bytesOf(asked.bytes), ...passphrase }
    return {
      ask: 'open',
      source: { bytes: bytesOf(asked.file).length, form: 'envelope' },
      keyFiles: asked.keyFiles.map((key) => ({ bytes: bytesOf(key) })),
      cards: [],
      approvals: asked.approvals.map(bytesOf),
      ...passphrase,
      now: asked.now,
      keep: 'pieces',
    }
  }

  const answer = (asked) =>
    new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message))
      const pieces = []
      worker.onmessage = ({ data }) => {
        if (data.say === 'want') worker.postMessage({ ask: 'give', number: data.number, bytes: bytesOf(asked.file).slice(data.start, data.end) })
        else if (data.say === 'piece') {
          pieces.push(data.bytes)
          worker.postMessage({ ask: 'next' })
        } else if (data.say !== 'progress') resolve({ ...data, blob: new Blob(pieces) })
      }
      worker.postMessage(message(asked))
    })

  const lines = []
  for (const asked of requests) {
    const said = await answer(asked)
    // Only a server could open it: the page's own word for `quorum`.
    if (said.say === 'failed') lines.push(said.kind === 'gate' ? 'quorum' : said.kind)
    else if (said.say === 'read') lines.push(asked.as === 'approval' ? 'success' : `success ${said.id}`)
    else {
      const content = await said.blob.arrayBuffer()
      lines.push(`success ${hex(await crypto.subtle.digest('SHA-256', content))} ${said.opened.admission}`)
    }
  }
  return lines
}
