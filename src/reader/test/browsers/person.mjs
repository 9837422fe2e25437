// What a person does with the page: chooses, types, presses, and finds the file in the folder.

import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect } from './places.mjs'

const WAIT_MS = 120_000

/** Waits until one of these sections is shown, and gives its name. */
export async function shown(page, ...sections) {
  const found = await page.waitForFunction(
    (names) => names.find((name) => !document.getElementById(name).hidden),
    { timeout: WAIT_MS, polling: 50 },
    sections,
  )
  return found.jsonValue()
}

/** Chooses files in a field. */
export async function choose(page, field, ...files) {
  const input = await page.$(`#${field}`)
  await input.uploadFile(...files)
}

/** Types a passphrase and presses Open. Gives the section that follows. */
export async function tryPassphrase(page, passphrase, field = 'passphrase') {
  await page.$eval(`#${field}`, (input) => (input.value = ''))
  await page.type(`#${field}`, passphrase)
  return pressOpen(page)
}

export async function pressOpen(page) {
  await page.click('#open')
  const isDone = () => document.getElementById('working').hidden && document.getElementById('secrets').getAttribute('aria-busy') !== 'true'
  await page.waitForFunction(isDone, { timeout: WAIT_MS, polling: 50 })
  return shown(page, 'result', 'failure', 'asking')
}

export const textOf = (page, id) => page.$eval(`#${id}`, (found) => (found.hidden ? '' : found.innerText.trim()))

/** Presses Save and reads the file that arrives. It is removed again. */
export async function save(page, downloads, press = '#save') {
  const before = new Set(readdirSync(downloads))
  await page.click(press)
  const name = await arrived(downloads, before)
  const path = join(downloads, name)
  const bytes = readFileSync(path)
  rmSync(path)
  return { name: basename(path), bytes }
}

/** The name of a new file that has stopped growing. */
export async function arrived(downloads, before, waitMs = WAIT_MS) {
  const end = Date.now() + waitMs
  let size = -1
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    const found = readdirSync(downloads).find((name) => !before.has(name) && !/\.(crdownload|part)$|^\.(org|com)\./.test(name))
    if (found === undefined || readdirSync(downloads).some((name) => name.endsWith('.part'))) continue
    const now = statSync(join(downloads, found)).size
    if (now === size) return found
    size = now
  }
  expect(false, 'no file arrived')
  return ''
}
