// What the page makes of foreign names and texts, and that both languages say the same things.
//
//     node --test test/words.mjs

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { load } from './bundle.mjs'

globalThis.navigator ??= { language: 'en' }

const MODULES = ['escape', 'names', 'en', 'de', 'said', 'people'].map((name) => `page/words/${name}`)
const { clean, saveName, ending, isRisky, safe, safeLines, en, de, nameOf, person } = await load(...MODULES)

test('hazards are spelled out as the program does it', () => {
  assert.equal(safe('a\u001b[31mb'), 'a\\u{1b}[31mb')
  assert.equal(safe('\u202efdp.exe\u009b\n'), '\\u{202e}fdp.exe\\u{9b}\\u{a}')
  assert.equal(safe('Größe 🦀 名前'), 'Größe 🦀 名前')
  assert.equal(safe('\u{e0041}$&'), '\\u{e0041}$&')
  assert.equal(safe('🦀'.repeat(256)), '🦀'.repeat(256))
  assert.equal(safe('🦀'.repeat(300)), `${'🦀'.repeat(256)}…`)
  assert.equal(safeLines('a\r\n\tb\u202e\rc'), 'a\n\tb\\u{202e}\\u{d}c')
})

test('only what may become a file name does', () => {
  for (const name of ['report.pdf', 'Größe.txt', 'a b', 'console.txt', 'com10', 'x'.repeat(255)]) assert.equal(clean(name), name)
  assert.equal(clean('../../etc/passwd'), 'passwd')
  assert.equal(clean('C:\\Users\\x.txt'), 'x.txt')
  assert.equal(clean(' x.txt\t'), 'x.txt')
  const refused = ['', '.', '..', '.bashrc', 'a/', 'CON', 'con.txt', 'nul .x', 'COM1', 'lpt².doc', 'a\u202eb', 'a\nb', '\ufeffa', 'é'.repeat(128)]
  for (const name of refused) assert.equal(clean(name), undefined, JSON.stringify(name))
})

test('the saved name is one that Windows can store', () => {
  const cases = [
    ['report.pdf', 'x.encl', 'report.pdf'],
    [undefined, 'report.pdf.encl', 'report.pdf'],
    [undefined, 'report.pdf.encl (1)', 'report.pdf'],
    [undefined, 'report.pdf (1).encl', 'report.pdf (1)'],
    [undefined, 'report.pdf.encl.html', 'report.pdf'],
    ['CON', 'report.pdf.encl', 'report.pdf'],
    ['a<b>:"|?*.txt', 'x.encl', 'a_b______.txt'],
    ['x.txt. .', 'y.encl', 'x.txt'],
    // Systems that drop a dot at the end would uncover the ending, so it may not be hidden behind another blank.
    ['x.exe.\u00a0.', 'y.encl', 'x.exe'],
    ['report.pdf.lnk.\u2003.', 'y.encl', 'report.pdf.lnk'],
    ['con.', 'con.encl', 'content'],
    [undefined, '.encl', 'content'],
  ]
  for (const [stored, outer, due] of cases) assert.equal(saveName(stored, outer), due, `${stored} in ${outer}`)
})

test('endings that run are known, whatever their case', () => {
  for (const name of ['a.exe', 'a.pdf.EXE', 'a.sh', 'x.DocM', 'page.html', 'a.svg', 'x.lnk', 'a.url']) assert.ok(isRisky(name), name)
  for (const name of ['a.pdf', 'a.docx', 'a.exe.txt', 'exe', 'photo.jpg', 'a.eml']) assert.ok(!isRisky(name), name)
  assert.equal(ending('a.tar.GZ'), 'gz')
  assert.equal(ending('README'), '')
})

/** What is filled in where it is not just texts. */
const one = (text) => [{ foreign: text }]
const FILLED = new Map([
  ['signedBy', [one('AAA')]],
  ['noPassphrase', [[one('AAA'), one('BBB')]]],
  ['noKey', [[one('AAA'), one('BBB')]]],
  ['quorum', ['AAA', 'BBB', [one('CCC')]]],
])

/** A sentence with something filled in, as one text. */
function filled(name, said) {
  if (typeof said !== 'function') return said
  const pieces = said(...(FILLED.get(name) ?? ['AAA', 'BBB', 'CCC']))
  return typeof pieces === 'string' ? pieces : pieces.map((piece) => piece.foreign ?? piece.exact ?? piece).join('')
}

test('both languages have every sentence, none is empty, and all say what they are given', () => {
  assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort())
  for (const [name, said] of Object.entries(en)) {
    const [english, german] = [en, de].map((table) => filled(name, table[name]))
    assert.equal(typeof said, typeof de[name], name)
    for (const text of [english, german]) {
      assert.notEqual(text.trim(), '', name)
      assert.doesNotMatch(text, /undefined|\[object|NaN|  /, name)
    }
    const given = (text) => ['AAA', 'BBB', 'CCC'].filter((one) => text.includes(one))
    assert.deepEqual(given(german), given(english), name)
    assert.equal(german.split('`').length, english.split('`').length, `the commands in ${name}`)
    const same = ['Version', 'Name', 'Passphrase']
    assert.ok(german !== english || same.some((word) => english.startsWith(word)) || !/[a-z]{4}/.test(english), `${name} is not translated`)
  }
})

test('names that could be taken for something else are not shown, and mixed alphabets are pointed out', () => {
  const text = (said) => said.map((piece) => piece.foreign ?? piece).join('')
  const bob = 'bob@example.org'
  for (const name of ['Bob', 'Zoë Müller', 'Li 李', 'Иван Петров', 'Γιώργος', bob]) assert.equal(text(nameOf({ name, address: bob })), name)
  for (const name of ['you', 'y\u043eu', 'cfo@corp.example', '0123 4567 89ab cdef', 'Bob ', 'Bo\u200bb']) {
    assert.equal(text(nameOf({ name, address: bob })), en.nameNotShown, name)
  }
  assert.equal(text(nameOf({ name: 'A\u043bice' })), `A\u043bice ${en.mixedAlphabets}`)
  assert.equal(text(person({ name: 'Bob', address: 'b\u043eb@example.org' })), `Bob <b\u043eb@example.org> ${en.mixedAlphabets}`)
})
