// Answering an invitation as a person does, and what the program says to the answer.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openPage } from './launch.mjs'
import { isClosed } from './opening.mjs'
import { choose, save, textOf } from './person.mjs'
import { expect } from './places.mjs'

const WAIT = { timeout: 120_000, polling: 50 }

/** From the invitation to the answer, with a file that was never saved on the way, and a wrong passphrase. */
export async function answersInvitation(engine, program) {
  const address = `dave-${engine.name}@example.org`
  const invitation = program.run('alice', 'invite', address)
  const { page, log } = await openPage(engine)
  await page.click('#answer-start')
  await paste(page, 'Dear Dave, see below')
  await page.waitForFunction(() => !document.getElementById('answer-note').hidden, WAIT)
  await paste(page, invitation)
  await part(page, 'answer-person')
  expect((await textOf(page, 'inviter')).includes('alice@example.org'), 'the page shows who invites')
  const words = await textOf(page, 'words')
  expect(/^([a-z]+-){6}[a-z]+$/.test(words), `seven words: ${words}`)
  await page.type('#person-name', ' Dave  ')
  await page.type('#person-address', address)
  await page.click('#answer-person button[type=submit]')
  await part(page, 'answer-file')
  expect((await textOf(page, 'answer-text')) === '', 'there is no answer before the file was chosen')
  const saved = await save(page, engine.downloads, '#key-save')
  const path = join(program.folder, saved.name)
  writeFileSync(path, saved.bytes)

  expect((await tryFile(page, join(program.folder, 'bob.identity'), words)).includes('passphrase'), 'another file does not count')
  expect((await tryFile(page, path, 'wrong')).includes('passphrase'), 'a wrong passphrase gives no answer')
  expect((await tryFile(page, path, words)) === '', 'the file opens')
  const answer = await page.$eval('#answer-text', (field) => field.value)
  const number = (await page.$eval('.number', (found) => found.textContent)).replace(/\s/g, '')
  await isClosed(page, log)

  writeFileSync(join(program.folder, 'answer.txt'), answer)
  writeFileSync(join(program.folder, 'words'), `${words}\n`)
  const added = program.run('alice', 'contact', 'add', 'answer.txt', '--yes', '--json')
  expect(added.includes('"state":"answers"'), `the program takes the answer: ${added}`)
  program.run('alice', 'contact', 'verify', address, '--code', number)
  const dave = `dave-${engine.name}`
  program.run(dave, 'key', 'import', path, '--passphrase-file', 'words')
  const letter = program.sealed(`letter-${engine.name}`, Buffer.from('for Dave'), '--to', address)
  program.run(dave, 'unwrap', letter.path, '-o', 'opened', '--force', '--passphrase-file', 'words')
  expect(readFileSync(join(program.folder, 'opened'), 'utf8') === 'for Dave', 'the key file opens what is sealed for the card')
  return saved.name
}

async function paste(page, text) {
  await page.$eval('#invitation', (field, value) => (field.value = value), text)
  await page.click('#answer-invitation button[type=submit]')
}

async function part(page, id) {
  await page.waitForFunction((name) => document.getElementById(name).offsetParent !== null, WAIT, id)
}

/** What the page complains of; nothing when it shows the answer. */
async function tryFile(page, path, passphrase) {
  await choose(page, 'saved-file', path)
  await page.$eval('#saved-passphrase', (field) => (field.value = ''))
  await page.type('#saved-passphrase', passphrase)
  await page.click('#answer-file button[type=submit]')
  // Before the file is read the page shows neither that it works nor an outcome.
  await page.waitForFunction(() => ['answer-note', 'answer-done'].some((id) => document.getElementById(id).offsetParent !== null), WAIT)
  return textOf(page, 'answer-note')
}

/** The same way for pictures. */
export async function fillAnswer(page, { downloads }, program, take) {
  await page.click('#answer-start')
  await take('20-invitation')
  await paste(page, program.run('alice', 'invite', 'dave@example.org'))
  await part(page, 'answer-person')
  await page.type('#person-name', 'Dave')
  await page.type('#person-address', 'dave@example.org')
  await take('21-person')
  const words = await textOf(page, 'words')
  await page.click('#answer-person button[type=submit]')
  await part(page, 'answer-file')
  await take('22-key-file')
  const path = join(program.folder, 'picture.encl-key')
  writeFileSync(path, (await save(page, downloads, '#key-save')).bytes)
  await tryFile(page, path, 'wrong')
  await take('23-wrong-passphrase')
  await tryFile(page, path, words)
  await take('24-answer')
  await page.evaluate(() => document.querySelector('#answer-done .answer-leave').click())
}
