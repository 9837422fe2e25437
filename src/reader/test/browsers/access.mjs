// Accessibility: axe-core in every state, and everything done without a mouse.

import { readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openPage, withoutPolicy } from './launch.mjs'
import { arrived, choose, shown, tryPassphrase } from './person.mjs'
import { expect } from './places.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** axe-core finds nothing, in light and dark, in each state that a person meets. */
export async function checkAccess(engine, { passphrase: [fixture], key: [other] }) {
  let states = 0
  // By BiDi nothing says that it is dark.
  for (const dark of engine.name === 'chromium' ? [false, true] : [false]) {
    await withoutPolicy(engine, { dark, width: 400 }, (page) => walk(page, dark))
  }
  return `${states} states`

  async function walk(page, dark) {
    const look = async (state) => {
      states += 1
      const found = await page.evaluate(runAxe, AXE)
      expect(found.length === 0, `axe, ${state}${dark ? ', dark' : ''}: ${found.join('; ')}`)
    }
    await look('choosing')
    await choose(page, 'envelope-file', fixture.path)
    await shown(page, 'asking')
    await look('asking')
    await tryPassphrase(page, 'wrong')
    await look('wrong passphrase')
    await tryPassphrase(page, fixture.passphrase)
    await look('result')
    await page.click('#result-other')
    await choose(page, 'envelope-file', other.path)
    await shown(page, 'asking')
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)))
    await look('key file')
    await page.click('#asking-other')
    await page.click('#answer-start')
    await shown(page, 'answering')
    await look('answering')
  }
}

/** In the page. */
async function runAxe(text) {
  if (!globalThis.axe) new Function(text)()
  const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] })
  return violations.map(({ id, nodes }) => `${id} (${nodes.map((node) => node.target.join(' ')).join(', ')})`)
}

/**
 * Tab and Enter alone: open, save, and back. Only the choice of a file is the browser's own window. With a file that is no .pdf:
 * Firefox shows those in a tab of their own, which has the focus then.
 */
export async function keyboardOnly(engine, fixture) {
  const { page } = await openPage(engine)
  await tabTo(page, 'envelope-file')
  await choose(page, 'envelope-file', fixture.path)
  await shown(page, 'asking')
  expect((await focused(page)) === 'passphrase', 'the focus is where the passphrase goes')
  await page.keyboard.type(fixture.passphrase)
  await page.keyboard.press('Enter')
  await shown(page, 'result')
  await tabTo(page, 'save')
  await page.keyboard.press('Enter')
  rmSync(join(engine.downloads, await arrived(engine.downloads, new Set())))
  await tabTo(page, 'result-other')
  await page.keyboard.press('Enter')
  await shown(page, 'choosing')
  await page.close()
}

const focused = (page) => page.evaluate(() => document.activeElement?.id ?? '')

async function tabTo(page, id) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab')
    if ((await focused(page)) === id) return
  }
  expect(false, `Tab does not lead to #${id}`)
}
