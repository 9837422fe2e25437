// Pictures of every state, narrow and wide, light and dark, to be looked at.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fillAnswer } from './answering.mjs'
import { launch, openPage } from './launch.mjs'
import { choose, pressOpen, shown, tryPassphrase } from './person.mjs'
import { expect, folder } from './places.mjs'

export async function takeShots(engine, fixtures, out) {
  const pictures = folder(out, 'pictures')
  let count = 0
  for (const width of [320, 1280]) {
    for (const dark of [false, true]) {
      const { page } = await openPage(engine, { width, height: width === 320 ? 640 : 900, dark })
      const take = async (state) => {
        count += 1
        await page.screenshot({ path: join(pictures, `${state}-${width}-${dark ? 'dark' : 'light'}.png`), fullPage: true })
      }
      await walk(page, engine, fixtures, folder(out, 'work'), take)
      await page.close()
    }
  }
  count += await takeGerman(fixtures, pictures)
  return `${count} in ${pictures}`
}

/** The states with the longest sentences, for somebody whose browser is German. */
async function takeGerman({ passphrase: [report], key: [photo] }, pictures) {
  const engine = await launch('chromium', { language: 'de-DE' })
  try {
    const { page } = await openPage(engine, { width: 320, height: 640 })
    const take = (state) => page.screenshot({ path: join(pictures, `de-${state}-320.png`), fullPage: true })
    expect((await page.evaluate(() => document.documentElement.lang)) === 'de', 'the page speaks German')
    await take('01-choosing')
    await look(page, report.path)
    await tryPassphrase(page, 'wrong')
    await take('02-wrong-passphrase')
    await tryPassphrase(page, report.passphrase)
    await take('03-result')
    await again(page, photo.path)
    await take('04-key-file')
  } finally {
    await engine.close()
  }
  return 4
}

/** Leads one page through all its states. */
async function walk(page, engine, { passphrase, key, program }, work, take) {
  const [report, note, script] = passphrase
  await take('01-choosing')
  writeFileSync(join(work, 'x.pdf'), '%PDF')
  await choose(page, 'envelope-file', join(work, 'x.pdf'))
  await page.waitForFunction(() => !document.getElementById('choose-note').hidden)
  await take('02-no-envelope')
  await look(page, report.path)
  await take('03-passphrase')
  await tryPassphrase(page, 'wrong')
  await take('04-wrong-passphrase')
  await page.type('#passphrase', report.passphrase)
  await page.click('#open')
  await take('05-working')
  await shown(page, 'result')
  await take('06-result-unknown-key')
  await again(page, note.path)
  await tryPassphrase(page, note.passphrase)
  await page.waitForFunction(() => !document.getElementById('text-part').hidden)
  await page.click('#text-show')
  await take('07-result-unsigned-text')
  await again(page, script.path)
  await tryPassphrase(page, script.passphrase)
  await take('08-result-risky')
  await damaged(page, report, work)
  await take('09-damaged')
  if (program) await byKey(page, key[0], take)
  await press(page)
  if (program) await fillAnswer(page, engine, program, take)
}

async function look(page, path) {
  await choose(page, 'envelope-file', path)
  await shown(page, 'asking')
}

async function again(page, path) {
  await press(page)
  await look(page, path)
}

async function damaged(page, fixture, work) {
  const bytes = readFileSync(fixture.path)
  bytes[bytes.length - 1] ^= 1
  const path = join(work, 'report.pdf.encl')
  writeFileSync(path, bytes)
  await again(page, path)
  await tryPassphrase(page, fixture.passphrase)
}

async function byKey(page, fixture, take) {
  await again(page, fixture.path)
  await take('10-key-file')
  await choose(page, 'key-file', fixture.keyFile)
  await page.waitForFunction(() => !document.getElementById('key-passphrase-part').hidden)
  await page.evaluate(() => (document.getElementById('extras-part').open = true))
  await choose(page, 'extras-file', fixture.card)
  await page.waitForFunction(() => document.getElementById('added').textContent.includes('alice.card'))
  await page.type('#key-passphrase', fixture.keyPassphrase)
  await take('11-key-file-chosen')
  await pressOpen(page)
  await take('12-result-signed')
}

/** Presses what leads back to an empty page from whatever is shown. */
async function press(page) {
  await page.evaluate(() => [...document.querySelectorAll('#result-other, #failure-other')].find((one) => one.offsetParent)?.click())
}
