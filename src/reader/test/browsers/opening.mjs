// Opening as a person does it: wrong and right passphrases, key files, damage, and files that are no envelope.

import { readFileSync, writeFileSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openPage } from './launch.mjs'
import { choose, pressOpen, save, shown, textOf, tryPassphrase } from './person.mjs'
import { expect, sha256 } from './places.mjs'

/** Wrong, then right passphrase; then the file that is saved is the one that was sealed. */
export async function byPassphrase(engine, fixture) {
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  expect((await textOf(page, 'asking-name')) === basename(fixture.path), 'the envelope is looked at')
  expect((await textOf(page, 'claim')).includes('whoever knows the passphrase'), 'the page says what opens it')
  expect((await tryPassphrase(page, `${fixture.passphrase}x`)) === 'asking', 'a wrong passphrase opens nothing')
  expect((await textOf(page, 'asking-note')).includes('Nothing was sent'), 'the page says that the passphrase is wrong')
  expect((await page.evaluate(() => document.activeElement?.id)) === 'passphrase', 'the focus is on the passphrase')
  expect((await tryPassphrase(page, fixture.passphrase)) === 'result', `the passphrase opens ${fixture.name}`)
  expect(await page.evaluate(() => document.activeElement?.tagName === 'H1'), 'the focus is on the result')
  await saveAndCompare(page, engine, fixture)
  await isClosed(page, log)
}

/** A key file, the sender's card beside it. */
export async function byKeyFile(engine, fixture) {
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  await page.evaluate(() => document.querySelectorAll('#asking details').forEach((one) => (one.open = true)))
  await choose(page, 'key-file', fixture.keyFile)
  if (fixture.card) await choose(page, 'extras-file', fixture.card)
  await page.waitForFunction(() => !document.getElementById('added').hidden)
  if (fixture.keyPassphrase) {
    await page.waitForFunction(() => !document.getElementById('key-passphrase-part').hidden)
    expect((await tryPassphrase(page, 'wrong', 'key-passphrase')) === 'asking', 'a wrong passphrase opens no key file')
    expect((await tryPassphrase(page, fixture.keyPassphrase, 'key-passphrase')) === 'result', 'the key file opens it')
  } else expect((await pressOpen(page)) === 'result', `the key opens ${fixture.name}`)
  if (fixture.signer) expect((await textOf(page, 'facts')).includes(fixture.signer), 'the signer has the name of the card')
  await saveAndCompare(page, engine, fixture)
  await isClosed(page, log)
}

/** Envelope, key file and card dropped together. */
export async function byDrop(engine, fixture) {
  const { page, log } = await openPage(engine)
  await drop(page, fixture.path, fixture.keyFile, fixture.card)
  await shown(page, 'asking')
  await opensWithAdded(page, fixture)
  await isClosed(page, log)
}

/** Key file and card dropped where a result is shown: they are there for the next envelope, beside a key file that was dropped before. */
export async function keepsDropped(engine, opened, fixture, otherKeyFile) {
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', opened.path)
  await shown(page, 'asking')
  expect((await tryPassphrase(page, opened.passphrase)) === 'result', 'the first envelope opens')
  await drop(page, fixture.keyFile, fixture.card)
  await shown(page, 'choosing')
  expect((await textOf(page, 'choose-note')).includes('keeps'), 'the page says that it keeps them')
  await drop(page, otherKeyFile)
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  await opensWithAdded(page, fixture, [otherKeyFile])
  await isClosed(page, log)
}

/** Two key files with passphrases have a field each, and one whose passphrase was not typed is not in the way. */
export async function twoLocked(engine, fixture, otherKeyFile) {
  const { page, log } = await openPage(engine)
  await drop(page, fixture.path, fixture.keyFile, otherKeyFile)
  await page.waitForSelector('#key-passphrase-2', { visible: true })
  expect((await page.$eval('label[for=key-passphrase-2]', (label) => label.textContent)).includes(basename(otherKeyFile)), 'the field says of which file')
  expect((await tryPassphrase(page, 'wrong', 'key-passphrase-2')) === 'asking', 'a wrong passphrase opens no key file')
  expect((await page.evaluate(() => document.activeElement?.id)) === 'key-passphrase-2', 'the focus is on its field')
  await page.$eval('#key-passphrase-2', (field) => (field.value = ''))
  expect((await tryPassphrase(page, fixture.keyPassphrase, 'key-passphrase')) === 'result', 'the other key file opens it')
  await isClosed(page, log)
}

/** What was dropped is listed, and opens the envelope. */
async function opensWithAdded(page, fixture, others = []) {
  const count = [fixture.keyFile, fixture.card, ...others].filter(Boolean).length
  await page.waitForFunction((due) => document.getElementById('added').textContent.split(',').length === due, {}, count)
  if (fixture.keyPassphrase) {
    await page.waitForFunction(() => !document.getElementById('key-passphrase-part').hidden)
    expect((await tryPassphrase(page, fixture.keyPassphrase, 'key-passphrase')) === 'result', 'what was dropped opens')
  } else expect((await pressOpen(page)) === 'result', 'what was dropped opens')
  if (fixture.signer) expect((await textOf(page, 'facts')).includes(fixture.signer), 'the card gives the signer a name')
}

async function drop(page, ...paths) {
  const files = paths.filter(Boolean).map((path) => ({ name: basename(path), bytes: readFileSync(path).toString('base64') }))
  await page.evaluate((dropped) => {
    const dataTransfer = new DataTransfer()
    for (const { name, bytes } of dropped) dataTransfer.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], name))
    const event = new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true })
    document.querySelector('footer').dispatchEvent(event)
    if (!event.defaultPrevented) throw new Error('the drop would leave the page')
  }, files)
}

/** A damaged last byte: nothing can be saved. */
export async function damaged(engine, fixture, folder) {
  const bytes = readFileSync(fixture.path)
  bytes[bytes.length - 1] ^= 1
  const path = join(folder, 'damaged.encl')
  writeFileSync(path, bytes)
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', path)
  await shown(page, 'asking')
  expect((await tryPassphrase(page, fixture.passphrase)) === 'failure', 'a damaged envelope is not opened')
  expect((await textOf(page, 'failure-text')).includes('damaged'), 'the page says that it is damaged')
  expect(await page.$eval('#save', (link) => !link.hasAttribute('href')), 'there is nothing to save')
  expect(readdirSync(engine.downloads).length === 0, 'nothing was saved')
  await isClosed(page, log)
}

/** A file that is no envelope. */
export async function noEnvelope(engine, folder) {
  const path = join(folder, 'x.pdf')
  writeFileSync(path, '%PDF-1.7 not an envelope')
  const { page, log } = await openPage(engine)
  await choose(page, 'envelope-file', path)
  await page.waitForFunction(() => !document.getElementById('choose-note').hidden)
  const said = await textOf(page, 'choose-note')
  expect(said === 'x.pdf is not an envelope. Choose the file that ends in .encl.', `the page says what it is not: ${said}`)
  await isClosed(page, log)
}

/** The page says no word of its own in the browser's console, and asks for nothing but itself. */
export async function isClosed(page, log) {
  const asked = log.requests.filter((url) => !/^(blob|data):/.test(url) && url !== page.url())
  expect(asked.length === 0, `the page asked for ${asked.join(', ')}`)
  expect(log.console.length === 0, `the console has ${log.console.join(' | ')}`)
  await page.close()
}

async function saveAndCompare(page, { downloads }, { name, sha, saveAs }) {
  if (await page.$eval('#risky', (found) => !found.hidden)) {
    expect(await page.$eval('#save', (link) => link.hidden), 'a risky file has no link before the second click')
    await page.click('#risky-yes')
  }
  const saved = await save(page, downloads)
  expect(sha256(saved.bytes) === sha, `what is saved of ${name} is what was sealed`)
  if (saveAs) expect(saved.name === saveAs, `it is saved as ${saveAs}, and was as ${saved.name}`)
}
