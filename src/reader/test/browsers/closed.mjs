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
  const { through, refused } = await page.evaluate(tryEverything)
  expect(through.length === 0, `the policy lets through: ${through.join(', ')}`)
  // That a request fails proves nothing where no host is known: the browser has to say that it was the policy.
  // Scripts and workers are refused as untrusted texts, before their own directives are asked.
  for (const directive of ['connect-src', 'img-src', 'style-src', 'require-trusted-types-for', 'trusted-types']) {
    expect(refused.some((one) => one.startsWith(directive)), `the policy refuses nothing for ${directive}: ${refused.join(', ')}`)
  }
  const asked = log.requests.filter((url) => url !== page.url() && !/^(blob|data):/.test(url) && !url.includes('encl.invalid'))
  expect(asked.length === 0, `requests: ${asked.join(', ')}`)
  await page.close()
}

/** In the page. Gives what worked and should not, and the parts of the policy by which the browser says it refused something. */
async function tryEverything() {
  const through = []
  const refused = []
  document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective))
  const attempt = async (name, act) => {
    try {
      if ((await act()) !== false) through.push(name)
    } catch {
      // Refused, as it should be.
    }
  }
  const loads = (element, source) =>
    new Promise((resolve, reject) => {
      Object.assign(element, { onload: resolve, onerror: reject, src: source })
      document.body.append(element)
    })
  await attempt('fetch', () => fetch('http://encl.invalid/'))
  await attempt('an image', () => loads(new Image(), 'http://encl.invalid/x.png'))
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
  await attempt('a style', () => {
    const style = document.createElement('style')
    style.append('#version { color: rgb(1, 2, 3) }')
    document.head.append(style)
    return getComputedStyle(document.getElementById('version')).color === 'rgb(1, 2, 3)'
  })
  await attempt('a worker of another address', () => new Worker('data:text/javascript,1'))
  // The events come later than the refusals.
  await new Promise((resolve) => setTimeout(resolve, 200))
  return { through, refused }
}
