// The policy of the page: its hashes are those of what it has, and the browser obeys it.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { openPage } from './launch.mjs'
import { expect, PAGE } from './places.mjs'

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Hashes, and that no script of another text, no style, no markup from text and no request gets through. */
export async function policyHolds(engine) {
  const html = readFileSync(PAGE, 'utf8')
  const part = (tag) => html.slice(html.lastIndexOf(`<${tag}>`) + tag.length + 2, html.lastIndexOf(`</${tag}>`))
  const policy = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(html)?.[1] ?? ''
  expect(policy.includes(`script-src ${hash(part('script'))} 'wasm-unsafe-eval';`), 'the policy has the hash of the script')
  expect(policy.includes(`style-src ${hash(part('style'))};`), 'the policy has the hash of the style')
  expect(html.indexOf('<meta http-equiv') < html.indexOf('<style>'), 'the policy stands in front of everything')

  const { page, log } = await openPage(engine)
  const through = await page.evaluate(tryEverything)
  expect(through.length === 0, `the policy lets through: ${through.join(', ')}`)
  const asked = log.requests.filter((url) => url !== page.url() && !/^(blob|data):/.test(url) && !url.includes('encl.invalid'))
  expect(asked.length === 0, `requests: ${asked.join(', ')}`)
  await page.close()
}

/** In the page. Gives what worked and should not. */
async function tryEverything() {
  const through = []
  const attempt = async (name, act) => {
    try {
      if ((await act()) !== false) through.push(name)
    } catch {
      // Refused, as it should be.
    }
  }
  await attempt('fetch', () => fetch('http://encl.invalid/'))
  await attempt('innerHTML', () => {
    document.createElement('p').innerHTML = '<b>x</b>'
  })
  await attempt('a policy of another name', () => trustedTypes.createPolicy('other', {}))
  await attempt('an inline script', () => {
    const script = document.createElement('script')
    script.append('globalThis.ran = true')
    document.body.append(script)
    script.remove()
    return globalThis.ran === true
  })
  await attempt('a worker of another address', () => new Worker('data:text/javascript,1'))
  return through
}
