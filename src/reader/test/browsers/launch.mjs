// Chromium and Firefox, each with a log of everything that it asked for and complained about.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import puppeteer from 'puppeteer-core'
import { PAGE_URL } from './places.mjs'

const PROGRAMS = { chromium: '/usr/bin/chromium', firefox: '/usr/bin/firefox-esr' }
/** Nothing of the browser's own goes out either: every name but that of this machine is unknown to it. */
const CHROMIUM = ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND', '--disable-background-networking', '--disable-component-update']

/** Firefox has no way to leave out the policy of one page. */
const WITHOUT_POLICY = { 'security.csp.enable': false, 'dom.security.trusted_types.enabled': false }

/** A browser with one folder for its downloads. `language` is that of its user. */
export async function launch(name, { language = 'en-GB', policy = true } = {}) {
  const downloads = mkdtempSync(join(tmpdir(), 'encl-reader-'))
  const browser = await puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath: process.env[`ENCL_${name.toUpperCase()}`] ?? PROGRAMS[name],
    headless: true,
    args: name === 'firefox' ? [] : [...CHROMIUM, `--lang=${language}`, `--accept-lang=${language}`],
    ...(name === 'firefox' && { extraPrefsFirefox: { ...firefoxSettings(downloads, language), ...(policy ? {} : WITHOUT_POLICY) } }),
    env: { ...process.env, LANGUAGE: language },
    protocolTimeout: 600_000,
    downloadBehavior: { policy: 'allow', downloadPath: downloads },
  })
  const close = async () => {
    await browser.close()
    rmSync(downloads, { recursive: true, force: true })
  }
  return { name, browser, downloads, close, version: await browser.version() }
}

function firefoxSettings(downloads, language) {
  return {
    'browser.download.dir': downloads,
    'browser.download.folderList': 2,
    'browser.download.useDownloadDir': true,
    'browser.helperApps.neverAsk.saveToDisk': 'application/octet-stream',
    'browser.download.alwaysOpenPanel': false,
    'intl.accept_languages': language,
  }
}

/** Runs something on the page without its policy: what tests bring along is not in its hashes. */
export async function withoutPolicy(engine, options, run) {
  const own = engine.name === 'firefox' ? await launch('firefox', { policy: false }) : engine
  const { page } = await openPage(own, options)
  try {
    if (engine.name === 'chromium') {
      await page.setBypassCSP(true)
      await page.reload()
    }
    return await run(page)
  } finally {
    await page.close()
    if (own !== engine) await own.close()
  }
}

/** The page in a tab of its own. `log` has each request, and what the console was told. */
export async function openPage({ browser }, { url = PAGE_URL, width = 1280, height = 900, dark = false } = {}) {
  const page = await browser.newPage()
  const log = { requests: [], console: [] }
  page.on('request', (request) => log.requests.push(request.url()))
  page.on('console', (message) => ['error', 'warn', 'warning'].includes(message.type()) && log.console.push(message.text()))
  page.on('pageerror', (error) => log.console.push(String(error)))
  await page.setViewport({ width, height })
  if (dark) await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }])
  await page.goto(url)
  return { page, log }
}
