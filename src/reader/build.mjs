// Builds dist/reader.html: page, style and worker in one file that asks nobody for anything. Two builds give the same bytes.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'
import { zlibSync } from 'fflate'

const HERE = dirname(fileURLToPath(import.meta.url))
const BYTES_MAX = 200_000
/** In the page's script, until the worker takes its place. */
const WORKER_MARK = '@worker-text@'
/** What the page's promises forbid it to contain, each with what it would be. */
const FORBIDDEN = [
  [/\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|srcdoc/, 'markup from text'],
  [/\beval\b|\bnew Function\b|\bFunction\(/, 'code from text'],
  [/\blocation\b|\bhistory\.|\bwindow\.open\b|[^.\w$]open\(["'`]/, 'navigation'],
  [/\bfetch\(|XMLHttpRequest|WebSocket|WebTransport|EventSource|sendBeacon|importScripts|\bimport\(|\bRTC|serviceWorker/, 'a request'],
  [/localStorage|sessionStorage|indexedDB|\bcaches\.|document\.cookie|getDirectory\(/, 'storage'],
  [/\bhttps?:\/\/(?!github\.com\/paulmillr)/, 'an address'],
  [/sourceMappingURL/, 'a source map'],
]

const read = (...path) => readFileSync(join(HERE, ...path), 'utf8').replace(/\r\n/g, '\n')
const sha256 = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** The version of the program that carries the page. */
function version() {
  const manifest = read('..', '..', 'Cargo.toml')
  const found = /^\[package\][^[]*?^version = "([^"]+)"/ms.exec(manifest)
  if (!found) throw new Error('Cargo.toml has no version')
  return found[1]
}

/** One bundle as text, without anything of this machine in it. */
async function bundle(entry) {
  const result = await build({
    absWorkingDir: HERE,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    charset: 'utf8',
    format: 'iife',
    target: ['es2022'],
    legalComments: 'none',
    treeShaking: true,
    define: { VERSION: JSON.stringify(version()), PACKED_WORKER: JSON.stringify(WORKER_MARK) },
  })
  return inScript(result.outputFiles[0].text.trim())
}

/** A script's text that cannot end its element early, nor begin a comment in it. */
function inScript(text) {
  return text.replace(/<(?=\/script|!--|script)/gi, '\\x3C')
}

async function script() {
  const worker = await bundle('page/worker.ts')
  const page = await bundle('page/page.ts')
  for (const code of [worker, page]) refuseForbidden(code)
  const quoted = JSON.stringify(WORKER_MARK)
  if (page.split(quoted).length !== 2) throw new Error('the page has not one place for the worker')
  return page.replace(quoted, () => `"${packed(worker)}"`)
}

/**
 * The worker is two thirds of the page: compressed it is half as long, in base64. By a library, since the bytes of Node's own zlib
 * differ between its versions.
 */
function packed(text) {
  return Buffer.from(zlibSync(Buffer.from(text), { level: 9, mem: 12 })).toString('base64')
}

function refuseForbidden(code) {
  for (const [pattern, what] of FORBIDDEN) {
    const found = pattern.exec(code)
    if (found) throw new Error(`the page has ${what}: …${code.slice(Math.max(0, found.index - 40), found.index + 40)}…`)
  }
}

async function style() {
  const css = ['page/page.css', 'page/views/views.css'].map((path) => read(path)).join('\n')
  const result = await transform(css, { loader: 'css', minify: true, charset: 'utf8' })
  return result.code.trim()
}

/** Who has written what is in the page, and the licence that all of it is under: one text, with a copyright line for each. */
function licences() {
  const parts = [
    ['encl (or, as you choose, under the Apache licence 2.0)', ours(read('..', '..', 'LICENSE'))],
    ...['@noble/curves', '@noble/hashes', '@noble/post-quantum', 'hash-wasm'].map((name) => [name, read('node_modules', name, 'LICENSE')]),
  ]
  const found = parts.map(([name, text]) => ({ name, ...licence(name, text) }))
  const [{ permission }] = found
  for (const one of found) if (plain(one.permission) !== plain(permission)) throw new Error(`${one.name} has another licence`)
  const lines = found.map(({ name, copyright }) => `${name}: ${copyright}`)
  const more = found.filter(({ rest }) => rest).map(({ name, rest }) => `${name}: ${rest}`)
  const text = ['The MIT License', lines.join('\n'), permission, ...more].join('\n\n')
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}

/** The first of the two licences in our own file. */
function ours(text) {
  const end = text.indexOf('\n====', text.indexOf('MIT License\n\nCopyright'))
  return text.slice(text.indexOf('MIT License\n\nCopyright'), end)
}

function licence(name, text) {
  const found = /^(Copyright .*)\n\s*(Permission is hereby granted[^]*?SOFTWARE OR THE USE OR\s+OTHER\s+DEALINGS IN\s+THE\s+SOFTWARE\.)([^]*)$/im.exec(text)
  if (!found) throw new Error(`${name} has no licence of the form that is known`)
  const [copyright, permission, rest] = found.slice(1).map((part) => part.trim())
  return { copyright, permission: permission.replace(/([^\n])\n(?=[^\n])/g, '$1 '), rest }
}

/** A text whose wrapping, quotes and case do not count. */
const plain = (text) => text.replace(/[“”]/g, '"').replace(/\s+/g, ' ').toLowerCase()

function policy(code, css) {
  return [
    "default-src 'none'",
    `script-src ${sha256(code)} 'wasm-unsafe-eval'`,
    `style-src ${sha256(css)}`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types encl',
  ].join('; ')
}

function check(html) {
  // What `wrap --html` puts behind the page has to be the only one of its kind.
  for (const text of ['</body>', '</html>', '<script type="text/plain" id="envelope">']) {
    if (html.includes(text)) throw new Error(`the page contains ${text}`)
  }
  if (!html.endsWith('</script>\n')) throw new Error('the page does not end behind its script')
  const bytes = Buffer.byteLength(html)
  if (bytes > BYTES_MAX) throw new Error(`the page has ${bytes} bytes, more than ${BYTES_MAX}`)
}

async function page() {
  const [code, css] = [await script(), await style()]
  const parts = { POLICY: policy(code, css), STYLE: css, LICENCES: licences(), VERSION: version(), SCRIPT: code }
  const html = read('page', 'index.html').replace(/@([A-Z]+)@/g, (_, name) => {
    if (!(name in parts)) throw new Error(`index.html asks for ${name}`)
    return parts[name]
  })
  check(html)
  return html
}

const html = await page()
const target = process.argv[2] ?? join(HERE, 'dist', 'reader.html')
mkdirSync(dirname(target), { recursive: true })
writeFileSync(target, html)
console.log(`${target}: ${Buffer.byteLength(html)} bytes`)
