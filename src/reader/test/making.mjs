// What the page makes: words, identities, answers and the safety number, against published lists and the program's own tests.
//
//     node --test test/making.mjs          with ENCL=PATH also against the program

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'

import { load } from './bundle.mjs'

const NAMES = ['answer', 'identity', 'naming', 'safety_number', 'seal', 'words']
const PASSPHRASE = 'abandon-ability-able-about-above-absent-absorb'
const PERSON = { name: 'Dave Günther', address: 'dave@example.org', created: '2026-11-30T12:00:00Z' }

const lib = await load('lib/mod', 'lib/base64', 'lib/identity/carrier', 'page/working/making', ...NAMES.map((name) => `lib/making/${name}`))

test('the words are the published list', () => {
  const list = lib.wordList()
  assert.equal(list.length, 2048)
  // SHA-256 of english.txt of BIP-39.
  const due = '2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda'
  assert.equal(createHash('sha256').update(`${list.join('\n')}\n`).digest('hex'), due)
  const drawn = lib.sevenWords().split('-')
  assert.equal(drawn.length, 7)
  assert.ok(drawn.every((word) => list.includes(word)))
  assert.notEqual(lib.sevenWords(), lib.sevenWords())
})

test('the safety number is the one that people see in the program', async () => {
  const [one, other] = ['01', '02'].map((byte) => byte.repeat(32))
  const due = '73767 01122 04372 00122 43173 56328\n34049 51182 31952 27039 08617 46465'
  assert.equal(await lib.safetyNumber(one, other), due)
  assert.equal(await lib.safetyNumber(other, one), due)
})

test('a token is taken out of a mail, and a wrong letter is noticed', () => {
  const token = 'BwcHBwcHBwcHBwcHBwcHBwO6'
  for (const text of [`encl-invitation1:${token}`, `Hello,\n> > encl-invitation1:BwcHBwcHBwcH\n> > BwcHBwcHBwO6\nBob`]) {
    assert.deepEqual(lib.readInvitation(text), { answer: `encl-answer1:${token}` })
  }
  for (const text of ['', 'encl-invitation1:', `encl-invitation1:${token.replace('B', 'b')}`, `encl-invitation1:${token.slice(1)}`]) {
    assert.equal(lib.readInvitation(text), undefined)
  }
})

test('names that would be refused are not put on a card', () => {
  for (const name of ['Dave', "Dave O'Neill", 'Jörg', 'dave@example.org', 'Li 李']) assert.ok(lib.isName(name, PERSON.address), name)
  const digits = '0123456789abcdef'
  for (const name of ['', digits, digits.toUpperCase(), '0123 4567 89ab cdef', 'cfo@corp.example', 'cfo＠corp.example', 'you', 'Me', 'y\u043eu', '\uff4de', 'Dave ', 'Dave  G', 'a\u200bb', 'a\u202eb']) {
    assert.ok(!lib.isName(name, PERSON.address), name)
  }
  for (const address of ['', 'dave', '@x', 'x@', 'a@b@c', 'a b@c', 'a;b@c', '$(x)@c', `${'a'.repeat(320)}@c`]) assert.ok(!lib.isAddress(address), address)
})

/** An export whose one key ends: the page makes none like that, the program does. */
function exportThatEnds(expires) {
  const [seed, secret] = [lib.random(32), lib.random(32)]
  const id = lib.toBase64(ed25519.getPublicKey(seed))
  const signed = (kind, line) => lib.carrySigned(`encl-${kind}1:`, line, ed25519.sign(Buffer.from(`encl/1 ${kind}\0${line}`), seed))
  const key = { kem: 'x25519', serial: 1, created: PERSON.created, expires }
  const keys = [{ ...key, key: lib.toBase64(x25519.getPublicKey(secret)) }]
  const card = { card: 'encl/1', id, name: 'Dave', addresses: [PERSON.address], serial: 1, created: PERSON.created, keys }
  const line = JSON.stringify({ identity: 'encl/1', id, seed: lib.toBase64(seed), keys: [{ ...key, secret: lib.toBase64(secret) }] })
  const revocation = signed('revocation', JSON.stringify({ revocation: 'encl/1', id, created: PERSON.created }))
  return `encl-identity-export1\ncard ${signed('card', JSON.stringify(card))}\nrevocation ${revocation}\nsecret ${lib.toBase64(Buffer.from(line))}\n`
}

test('keys that have ended answer no invitation', async () => {
  const { file, id } = await lib.makeIdentity(PERSON, PASSPHRASE)
  const ask = (text, now) => lib.make({ ask: 'answer', file: Buffer.from(text), passphrase: PASSPHRASE, token: 'encl-answer1:BwcHBwcHBwcHBwcHBwcHBwO6', now })
  const good = await ask(file, PERSON.created)
  assert.equal(good.card.id, id)
  const revoked = await ask(file.replace('\nsecret ', '\nended revoked\nsecret '), PERSON.created)
  assert.deepEqual(revoked, { say: 'answered', isEnded: true, text: '' })
  const until = '2027-01-01T00:00:00Z'
  const expiring = exportThatEnds(until)
  assert.equal((await ask(expiring, '2026-12-31T23:59:59Z')).card.expires, until)
  assert.equal((await ask(expiring, until)).isEnded, true)
})

test('what is made opens with its passphrase and with no other', async () => {
  const { id, file } = await lib.makeIdentity(PERSON, PASSPHRASE)
  const text = Buffer.from(file)
  const identity = await lib.readIdentity(text, PASSPHRASE)
  assert.equal(identity.id, id)
  assert.equal(identity.card.name, PERSON.name)
  await assert.rejects(lib.readIdentity(text), (error) => error.kind === 'locked')
  await assert.rejects(lib.readIdentity(text, 'other'), (error) => error.kind === 'passphrase')
  const answer = lib.answerText('encl-answer1:BwcHBwcHBwcHBwcHBwcHBwO6', file)
  assert.ok(answer.split('\n').every((line) => line.length <= 73))
  assert.equal(lib.readCards(Buffer.from(answer))[0].id, id)
})

const ENCL = process.env.ENCL

test('the program takes key file and answer, and opens with them', { skip: !ENCL && 'ENCL names no program' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'encl-making-'))
  const encl = (who, ...words) => {
    const env = { ...process.env, ENCL_KEYSTORE: join(folder, who), XDG_STATE_HOME: join(folder, `${who}.state`) }
    return execFileSync(ENCL, [...words, '--no-input'], { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
  encl('alice', 'key', 'new', 'alice@example.org', '--name', 'Alice', '--no-passphrase')
  const invitation = encl('alice', 'invite', PERSON.address)
  const { answer, from } = lib.readInvitation(invitation)
  assert.equal(from.name, 'Alice')
  for (let number = 0; number < Number(process.env.ENCL_IDENTITIES ?? 2); number += 1) {
    const person = { ...PERSON, address: `dave${number}@example.org` }
    const { id, file } = await lib.makeIdentity(number === 0 ? PERSON : person, PASSPHRASE)
    writeFileSync(join(folder, 'key'), file)
    writeFileSync(join(folder, 'answer'), lib.answerText(answer, file))
    const added = JSON.parse(encl('alice', 'contact', 'add', 'answer', '--yes', '--json').trim().split('\n')[0])
    assert.equal(added.invitation?.state ?? added.contact?.invitation?.state, number === 0 ? 'answers' : 'spent', JSON.stringify(added))
    writeFileSync(join(folder, 'letter'), `letter ${number}`)
    encl('alice', 'wrap', 'letter', '--to', id, '--force')
    const who = `dave${number}`
    encl(who, 'key', 'import', 'key', '--passphrase-file', 'passphrase')
    encl(who, 'unwrap', 'letter.encl', '-o', 'opened', '--force', '--passphrase-file', 'passphrase')
    assert.equal(readFileSync(join(folder, 'opened'), 'utf8'), `letter ${number}`)
    // It compares, and fails where the two numbers differ.
    encl('alice', 'contact', 'verify', id, '--code', (await lib.safetyNumber(id, from.id)).replace(/\s/g, ''))
  }
})
