// The page with an envelope behind its own bytes, as `wrap --html` writes it, and the attacks on that.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openPage } from './launch.mjs'
import { isClosed } from './opening.mjs'
import { save, shown, textOf, tryPassphrase } from './person.mjs'
import { expect, PAGE, sha256 } from './places.mjs'

const TAG = '<script type="text/plain" id="envelope">\n'
const END = '</script>\n'

function armor(bytes) {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN ENCL/1-----', ...lines, '-----END ENCL/1-----', ''].join('\n')
}

function written(folder, name, ...parts) {
  const path = join(folder, name)
  writeFileSync(path, parts.join(''))
  return pathToFileURL(path).href
}

/** It asks for the passphrase at once, and saves what was sealed. */
export async function opensEmbedded(engine, fixture, folder) {
  const page = readFileSync(PAGE, 'utf8')
  const url = written(folder, 'report.pdf.encl.html', page, TAG, armor(readFileSync(fixture.path)), END)
  const opened = await openPage(engine, { url })
  await shown(opened.page, 'asking')
  expect((await textOf(opened.page, 'asking-name')) === 'report.pdf.encl.html', 'the name is that of the file')
  expect((await tryPassphrase(opened.page, fixture.passphrase)) === 'result', 'it opens')
  const saved = await save(opened.page, engine.downloads)
  expect(sha256(saved.bytes) === fixture.sha, 'what is saved is what was sealed')
  await isClosed(opened.page, opened.log)
}

/** What stands behind or twice is not opened. */
export async function refusesBadPages(engine, fixture, folder) {
  const page = readFileSync(PAGE, 'utf8')
  const inside = [TAG, armor(readFileSync(fixture.path)), END].join('')
  const attacks = {
    'twice': [page, inside, inside],
    'behind': [page, inside, '<p>Type your passphrase here</p>'],
    'text-behind': [page, inside, 'call us'],
    'no-script': [page, '<div id="envelope">', armor(readFileSync(fixture.path)), '</div>'],
    'front': [page, '<h2>Your passphrase has expired</h2>', inside],
    // Another envelope than the one that the program takes: its tag is written in another order, and the first one is a comment's.
    'two': [page, inside.replace('type="text/plain" id="envelope"', 'id="envelope" type="text/plain"'), '</body><!--', inside],
    'attribute': [page, inside.replace('id=', 'hidden id=')],
  }
  for (const [name, parts] of Object.entries(attacks)) {
    const opened = await openPage(engine, { url: written(folder, `${name}.encl.html`, ...parts) })
    await opened.page.waitForFunction(() => !document.getElementById('choose-note').hidden, { polling: 50 })
    expect((await shown(opened.page, 'asking', 'choosing')) === 'choosing', `${name}: no passphrase is asked for`)
    await opened.page.close()
  }
  return `${Object.keys(attacks).length} pages`
}
