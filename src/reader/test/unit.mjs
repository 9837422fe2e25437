// The traps of JavaScript, one test each: numbers beyond 2^31, JSON, dates, base64, texts, points of mixed order.

import assert from 'node:assert/strict'
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ed25519 } from '@noble/curves/ed25519.js'

import { readCase } from './kit.mjs'
import { load } from './lib.mjs'

const lib = await load()
const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..')
const kitFile = path => readFileSync(join(ROOT, 'tests/vectors/kit', path))
const bytesOf = path => readCase(join(ROOT, 'tests/vectors/kit', path)).bytes

/** Refused as `kind`. */
function refused(kind, run) {
  const isKind = error => error instanceof lib.EnvelopeError && error.kind === kind
  return run.constructor.name === 'AsyncFunction' ? assert.rejects(run, isKind) : assert.throws(run, isKind)
}

const asBig = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

test('numbers are written right beyond 31 and 32 bits', () => {
  for (const n of [2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1]) assert.equal(asBig(lib.u32(n)), BigInt(n))
  for (const n of [2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 46 + 1, 2 ** 53 - 1]) assert.equal(asBig(lib.u64(n)), BigInt(n))
})

test('the nonce of a chunk is right beyond 31 bits', () => {
  const nonce = new Uint8Array(12).map((_, at) => 0xa5 ^ (at * 7))
  for (const index of [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1]) {
    assert.equal(asBig(lib.chunkNonce(nonce, index)), asBig(nonce) ^ BigInt(index), String(index))
  }
})

/** FORMAT.md, "Padding", with whole numbers of any size. */
function padmeByFormat(n) {
  const e = BigInt(n.toString(2).length - 1)
  const s = BigInt(e.toString(2).length)
  const m = 2n ** (e - s) - 1n
  return (n + m) & ~m
}

test('padmé is right for every size up to 70,000, and around powers of two up to 2^46', () => {
  for (let n = 2; n < 70_000; n++) {
    assert.equal(BigInt(lib.padme(n)), padmeByFormat(BigInt(n)))
  }
  for (let power = 16; power <= 46; power++) {
    for (const off of [-3, -1, 0, 1, 2, 12_345]) {
      const n = 2 ** power + off
      assert.equal(BigInt(lib.padme(n)), padmeByFormat(BigInt(n)), `2^${power} and ${off}`)
    }
  }
  const table = [[100, 104], [1_000, 1_024], [16_384, 16_384], [16_385, 17_408], [1_000_000, 1_015_808]]
  for (const [n, padded] of table) assert.equal(lib.padme(n), padded)
})

test('padding that is kept back becomes content when something follows', () => {
  const filter = new lib.PaddingFilter()
  const push = (...bytes) => {
    const { zeros, bytes: certain } = filter.push(new Uint8Array(bytes))
    return [zeros, [...certain], filter.zeros]
  }
  assert.deepEqual(push(0, 0), [undefined, [0, 0], undefined])
  assert.deepEqual(push(1, 0x80, 0), [undefined, [1], 1])
  assert.deepEqual(push(0, 0, 0), [undefined, [], 4])
  assert.deepEqual(push(0, 0x80), [4, [0], 0])
  assert.deepEqual(push(0x80), [0, [], 0])
  assert.deepEqual(push(0, 7), [0, [0, 7], undefined])
})

const { parse } = lib

test('JSON has the classes of FORMAT.md', () => {
  const nested = depth => '{"a":' + '['.repeat(depth - 1) + ']'.repeat(depth - 1) + '}'
  parse(nested(8))
  refused('malformed', () => parse(nested(9)))
  const many = count => `{${Array.from({ length: count }, (_, at) => `"m${at}":1`).join(',')}}`
  parse(many(64))
  refused('over-limit', () => parse(many(65)))
  const malformed = [
    '', ' ', '[]', '1', '{', '{}x', '{"a":null}', '{"a":-1}', '{"a":01}', '{"a":1.0}', '{"a":1e2}', '{"a":12345678901}', '{"a":""}',
    '{"":1}', '{"a":1,"a":1}', '{"a":1,"\\u0061":1}', '{"a":"\\ud800"}', '{"a":"\\udc00\\ud800"}', '{"a":"\\x"}', '{"a":"\\u12g4"}',
    '{"a":"\\u0000"}', '{"a":"\\n"}', '{"a":"\u0085"}', '{"a":"\u202e"}', '{"a":"\ufeff"}', '\ufeff{}', '{"a":\t1}', '{"a":"\x7f"}',
    '{"a":1,}', '{,}', '{"a" 1}', "{'a':1}", '{"a":tru}', '{"a":True}', '{"a":"x', '{"a":"\\', '{"a":\u00a01}', '{"a":\u0661}',
  ]
  for (const text of malformed) refused('malformed', () => parse(text))
  const line = ' { "a" : [ 1 , 0, 9999999999, true, "\\ud83d\\ude00\\/\\"" ] } '
  const good = parse(line)
  assert.deepEqual(good.members[0][1].items, [1, 0, 9_999_999_999, true, '\u{1f600}/"'])
  assert.equal(line.slice(good.start, good.end), line.trim())
})

test('a byte order mark stays, and bytes that are no UTF-8 are refused', () => {
  refused('malformed', () => parse(lib.textOf(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d]))))
  refused('malformed', () => lib.textOf(new Uint8Array([0x7b, 0xff, 0x7d])))
  refused('malformed', () => lib.textOf(new Uint8Array([0xed, 0xa0, 0x80])))
})

test('no table knows what every object has', () => {
  const table = { good: lib.number(0, 9) }
  const take = text => lib.members(parse(text), table, [])
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf']) {
    refused('newer', () => take(`{"${name}":1}`))
    refused('malformed', () => lib.members(parse('{}'), table, [name]))
  }
  refused('malformed', () => parse('{"__proto__":1,"__proto__":1}'))
  assert.equal(take('{"good":1}').good, 1)
  refused('newer', () => lib.word('one', 'two')('constructor'))
})

test('a label named __proto__ is kept', () => {
  const policy = JSON.stringify({
    locks: [{ kind: 'recipients', need: 1, commit: `${'A'.repeat(43)}=`, passphrase: 16, recipients: [] }],
    signed: false,
    private: false,
    padding: 'none',
  })
  const line = policy.replace(/\}$/, () => ',"labels":{"__proto__":"a","constructor":"b"}}')
  assert.deepEqual(lib.parsePolicy(line).labels, [['__proto__', 'a'], ['constructor', 'b']])
})

test('times are real dates', () => {
  const good = ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59Z', '2000-02-29T00:00:00Z', '9999-12-31T23:59:59Z']
  const bad = [
    '2026-02-30T00:00:00Z', '2026-02-29T00:00:00Z', '2100-02-29T00:00:00Z', '2026-04-31T00:00:00Z', '2026-01-01T24:00:00Z',
    '2026-01-01T23:60:00Z', '2026-01-01T23:59:60Z', '1969-12-31T23:59:59Z', '2026-13-01T00:00:00Z', '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z', '2026-1-01T00:00:00Z', '2026-01-01 00:00:00Z', '2026-01-01T00:00:00z', '2026-01-01T00:00:00Z\n',
    '٢٠٢٦-01-01T00:00:00Z', '+002026-01-01T00:00:00Z', '2026-01-01T00:00:00.0Z',
  ]
  for (const time of good) assert.ok(lib.isTime(time), time)
  for (const time of bad) assert.ok(!lib.isTime(time), time)
})

test('base64 has one form', () => {
  const decode = text => lib.fromBase64(lib.utf8(text))
  for (let length = 0; length < 70; length++) {
    const bytes = new Uint8Array(length).map((_, at) => at * 37 + length)
    assert.deepEqual(decode(Buffer.from(bytes).toString('base64')), bytes)
    const url = Buffer.from(bytes).toString('base64url')
    assert.deepEqual(lib.fromBase64Url(lib.utf8(url)), bytes)
    assert.equal(lib.toBase64Url(bytes), url)
  }
  const bad = ['AB==', 'AAB=', 'AA', 'AAA', 'AAA=A', '=', '====', 'A===', 'AA==AA==', 'AA ==', 'AAAA\n', 'AA-_', 'AA=A', 'AAA\u00c1', 'é==']
  for (const text of bad) assert.equal(decode(text), undefined, text)
  for (const text of ['A', 'AB', 'AAB', 'AA==', 'AA+/', 'AA A']) assert.equal(lib.fromBase64Url(lib.utf8(text)), undefined, text)
})

test('a length is that of the bytes', () => {
  lib.text(4)('éé')
  refused('over-limit', () => lib.text(3)('éé'))
  refused('over-limit', () => lib.text(3)('\u{1f600}'))
})

test('a passphrase is normalised, and has 1 to 1,024 bytes', () => {
  assert.deepEqual(lib.normalized('e\u0301'), lib.utf8('\u00e9'))
  assert.equal(lib.normalized(''), undefined)
  assert.equal(lib.normalized('é'.repeat(512)).length, 1024)
  assert.equal(lib.normalized('é'.repeat(512) + 'a'), undefined)
})

test('an empty passphrase is a wrong one', async () => {
  await refused('passphrase', async () => lib.readIdentity(bytesOf('identity/at_rest'), ''))
  await refused('locked', async () => lib.readIdentity(bytesOf('identity/at_rest')))
})

test('both Argon2 give one key', async () => {
  const [passphrase, salt] = [lib.utf8('correct horse'), new Uint8Array(16).fill(7)]
  const keys = await Promise.all(['wasm', 'plain', undefined].map(how => lib.argon2Of(how)(passphrase, salt, 10)))
  assert.deepEqual(keys[0], keys[1])
  assert.deepEqual(keys[0], keys[2])
})

const L = ed25519.Point.Fn.ORDER
const little = bytes => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
const scalarBytes = n => Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse())
/** A point of order 8. */
const TORSION = ed25519.Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')

/** Signs as a key `secret`·B + T does who computes its S without T: R + hA = SB + hT. */
function mixedSignature(secret, message, torsionOfR = ed25519.Point.ZERO) {
  const key = ed25519.Point.BASE.multiply(secret).add(TORSION).toBytes()
  const nonce = 12_345n
  const r = ed25519.Point.BASE.multiply(nonce).add(torsionOfR).toBytes()
  const h = little(lib.sha512(lib.concat(r, key, message))) % L
  const signature = lib.concat(r, scalarBytes((nonce + h * secret) % L))
  return { key, signature, h }
}

test('a signer of mixed order holds only without the cofactor', async () => {
  const seen = { holds: 0, fails: 0 }
  for (let round = 0; round < 40; round++) {
    const message = lib.utf8(`message ${round}`)
    const { key, signature, h } = mixedSignature(54_321n, message)
    const holds = h % 8n === 0n
    assert.equal(lib.verifiesBare(key, message, signature), holds, `round ${round}`)
    assert.ok(ed25519.verify(signature, message, key, { zip215: false }), 'noble multiplies by the cofactor')
    const nodeKey = await webcrypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    assert.equal(await webcrypto.subtle.verify('Ed25519', nodeKey, signature, message), holds)
    seen[holds ? 'holds' : 'fails']++
  }
  assert.ok(seen.fails > 20 && seen.holds > 0, JSON.stringify(seen))
})

test('an R of mixed order fails, and holds where the key has the opposite part', () => {
  for (let round = 0; round < 16; round++) {
    const message = lib.utf8(`other ${round}`)
    const { key, signature, h } = mixedSignature(999n, message, TORSION)
    // R + hA = SB + (1 + h)T
    assert.equal(lib.verifiesBare(key, message, signature), (1n + h) % 8n === 0n)
  }
})

test('keys and signatures in another encoding, of small order, or with S over L fail', () => {
  const { secretKey, publicKey } = ed25519.keygen(new Uint8Array(32).fill(3))
  const message = lib.utf8('text')
  const signature = ed25519.sign(message, secretKey)
  assert.ok(lib.verifiesBare(publicKey, message, signature))
  const s = little(signature.subarray(32))
  assert.ok(!lib.verifiesBare(publicKey, message, lib.concat(signature.subarray(0, 32), scalarBytes(s + L))))
  assert.ok(!lib.verifiesBare(publicKey, message, signature.subarray(0, 63)))
  const small = [
    '00'.repeat(32), `01${'00'.repeat(31)}`, `01${'00'.repeat(30)}80`, `ec${'ff'.repeat(30)}7f`, `ed${'ff'.repeat(30)}7f`, `ee${'ff'.repeat(30)}7f`,
    `ec${'ff'.repeat(31)}`, '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map(text => lib.fromHex(text))
  for (const point of small) {
    assert.ok(!lib.isAcceptable(point), lib.hex(point))
    assert.ok(!lib.verifiesBare(publicKey, message, lib.concat(point, new Uint8Array(32))))
    assert.ok(!lib.verifiesBare(point, message, lib.concat(point, new Uint8Array(32))))
  }
})

test('S of zero is a number like others', () => {
  const { publicKey } = ed25519.keygen(new Uint8Array(32).fill(5))
  const r = ed25519.Point.BASE.toBytes()
  assert.ok(!lib.verifiesBare(publicKey, lib.utf8('x'), lib.concat(r, new Uint8Array(32))))
})

test('addresses differ without regard to ASCII case only', () => {
  const kelvin = '\u212a'
  assert.equal(kelvin.toLowerCase(), 'k')
  assert.equal(lib.asciiLowerCase(`AbZ${kelvin}`), `abz${kelvin}`)
})

/** An input of these bytes that counts what is read. */
function counted(bytes) {
  const input = lib.fromBytes(bytes)
  const seen = { end: 0 }
  const read = (start, end) => {
    seen.end = Math.max(seen.end, end)
    return input.read(start, end)
  }
  return { input: { size: bytes.length, read }, seen }
}

test('a look reads no more of a file than its lines', async () => {
  const envelope = readFileSync(join(ROOT, 'tests/vectors/data/vector1.encl'))
  const { input, seen } = counted(lib.concat(envelope, new Uint8Array(8 << 20)))
  const claim = await lib.look(input)
  assert.deepEqual([claim.signed, claim.private, claim.keyPossible, claim.passphraseSuffices], [true, false, true, false])
  assert.equal(claim.locks[0].recipients.length, 1)
  assert.ok(seen.end < 2 << 20, `${seen.end} bytes`)
})

test('a key is possible where a person is a gate, beside a passphrase too', async () => {
  const looked = name => lib.look(lib.fromBytes(bytesOf(`envelope/${name}`)))
  const { locks, keyPossible, slots } = await looked('gate_beside_passphrase')
  const hasPerson = locks.some(lock => lock.gates.some(gate => gate.kind === 'person'))
  assert.deepEqual([hasPerson, keyPossible, slots.x25519 + slots.xwing], [true, true, 0])
  assert.equal((await looked('passphrase_alone')).keyPossible, false)
})

test('a file that became shorter is a failure of the input', async () => {
  const envelope = new Uint8Array(readFileSync(join(ROOT, 'tests/vectors/data/vector1.encl')))
  const input = { size: envelope.length + 10, read: async (start, end) => envelope.slice(start, end) }
  await assert.rejects(lib.look(input), lib.InputError)
})

test('the armor of a page is found by exact bytes only', () => {
  const page = '<!doctype html>\n<title>A page</title>\n<script>1>2</script>\n'
  const armor = '-----BEGIN ENCL/1-----\nZW5jbC8xCg==\n-----END ENCL/1-----\n'
  const tag = '<script type="text/plain" id="envelope">\n'
  const closing = '</script>\n'
  const file = page + tag + armor + closing
  const find = text => {
    const found = lib.findArmor(lib.utf8(text))
    if (found.fault) throw found.fault
    return found
  }
  const { page: pageBytes, start, end } = find(file)
  assert.deepEqual([pageBytes, file.slice(start, end)], [page.length, armor])
  const tagged = page.length + tag.length - 1
  for (let cut = 0; cut < file.length; cut++) refused(cut < tagged ? 'not-an-envelope' : 'truncated', () => find(file.slice(0, cut)))
  const carrying = (text, behind) => page + tag + text + behind
  const others = [
    ` ${file}`, file.replace('doctype', 'DOCTYPE'), file.replace('A page', () => 'x'.repeat(1 << 20)), file.replace('id="envelope"', "id='envelope'"),
    carrying(armor, `${closing}<meta>`), carrying(armor, `${closing}\n`), carrying(armor, '</script>\r\n'), carrying(armor, '</SCRIPT>\n'),
    carrying(armor, `\n${closing}`), carrying(armor, ` ${closing}`), carrying(armor.replaceAll('\n', '\r\n'), closing),
    carrying(`\n${armor}`, closing), carrying(`<!--\n${armor}-->\n${armor}`, closing), carrying(armor, closing + tag + armor + closing),
    carrying('encl/1\n', closing), carrying('', closing), page,
  ]
  for (const text of others) refused('not-an-envelope', () => find(text))
})

test('what stands behind the armor of a page is met after the faults in front of it', async () => {
  const page = '<!doctype html>\n<script type="text/plain" id="envelope">\n'
  const look = async (inside, behind) => {
    const lines = Buffer.from(inside).toString('base64').match(/.{1,64}/g).join('\n')
    const file = lib.utf8(`${page}-----BEGIN ENCL/1-----\n${lines}\n-----END ENCL/1-----\n${behind}`)
    const { start, end, fault } = lib.findArmor(file)
    return lib.look({ ...lib.fromBytes(file.slice(start, end)), fault })
  }
  const [good, other, cut] = ['</script>\n', '</script>\n<meta>', '</scr']
  const malformed = `encl/1\n{}\n{}\n${'A'.repeat(43)}=\n`
  for (const behind of [good, other, cut]) await refused('malformed', async () => look(malformed, behind))
  // Line 3 has no end: the reader needs what stands behind the armor.
  for (const [behind, kind] of [[good, 'truncated'], [other, 'not-an-envelope'], [cut, 'truncated']]) {
    await refused(kind, async () => look('encl/1\n{}\n{}', behind))
  }
})

test('kinds of files', () => {
  const kind = text => lib.kindOf(typeof text === 'string' ? lib.utf8(text) : text)
  assert.equal(kind(readFileSync(join(ROOT, 'tests/vectors/data/vector1.encl'))), 'envelope')
  assert.equal(kind('-----BEGIN ENCL/1-----\n'), 'envelope')
  assert.equal(kind(kitFile('keys/bob')), 'identity')
  assert.equal(kind('encl-identity-export1\ncard encl-card1:e'), 'identity')
  assert.equal(kind(bytesOf('card/bob')), 'card')
  assert.equal(kind('encl-approval1:AAAA'), 'approval')
  assert.equal(kind('{"approval":"encl/1"}'), 'approval')
  assert.equal(kind('<!DOCTYPE html>'), 'html')
  assert.equal(kind(new Uint8Array([0x25, 0x50, 0x44, 0x46])), 'other')
  assert.equal(kind(''), 'other')
})

test('cards are found in a text, wrapped and quoted', () => {
  const text = name => Buffer.from(bytesOf(`card/${name}`)).toString().trim()
  const wrapped = text('carol').replace(/.{60}/g, line => `${line}\n> `)
  const mail = `Hello,\n\n> ${wrapped}\n\nand his:\n${text('bob')}\nBye encl-card1:AAAA\n`
  assert.deepEqual(lib.readCards(lib.utf8(mail)).map(card => card.name), ['Carol', 'Bob'])
})

test('progress is told of the payload, and not while a passphrase is tried', async () => {
  const told = []
  const argon2 = async (...given) => {
    const key = await lib.argon2Of('wasm')(...given)
    told.push('locks')
    return key
  }
  const keys = { identities: [], approvals: [], cards: [], passphrase: 'correct horse é' }
  const bytes = bytesOf('envelope/passphrase_alone')
  const options = { now: '2026-11-24T12:00:00Z', argon2, progress: (done, total) => told.push(`${done} of ${total}`) }
  await lib.open(lib.fromBytes(bytes), keys, { write: async () => undefined }, options)
  assert.deepEqual(told, ['locks', `${bytes.length} of ${bytes.length}`])
})

test('JSON with more values than any line has is judged whole, and kept in part', () => {
  const many = count => `{"slots":[${'[],'.repeat(count)}[]]}`
  const [[, slots]] = lib.parse(many(2_000_000)).members
  assert.ok(slots.items.length <= 2 ** 19, `${slots.items.length} lists are kept`)
  refused('malformed', () => lib.parse(many(2_000_000).slice(0, -2)))
  const table = { slots: lib.listOf(16_384, one => assert.ok(one !== undefined)) }
  refused('over-limit', () => lib.members(lib.parse(many(2_000_000)), table, ['slots']))
  // An object that begins within the bound stays a member of its own, although its end lies beyond.
  const [[name, inner]] = lib.parse(`{"a":{"b":[${'1,'.repeat(600_000)}1],"c":2}}`).members
  assert.deepEqual([name, inner.members.map(([name]) => name)], ['a', ['b']])
})
