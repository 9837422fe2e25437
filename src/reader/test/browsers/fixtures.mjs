// Envelopes to be opened: from the kit, and made by the program where there is one.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { folder, kitCase, kitKey, sha256 } from './places.mjs'

const PASSPHRASE = 'abandon-ability-able-about-above-absent-absorb'

/** Envelopes of the kit, as files. */
export function ofKit(into) {
  const passphrase = ['passphrase_alone', 'passphrase_committed', 'key_or_passphrase_by_passphrase', 'private_passphrase']
  const key = ['armored', 'admission_granted_over_two']
  return {
    passphrase: passphrase.map((name) => asFile(into, name)),
    key: key.map((name) => asFile(into, name)),
  }
}

function asFile(into, name) {
  const found = kitCase(`envelope/${name}`)
  const path = join(into, `${name}.encl`)
  writeFileSync(path, found.bytes)
  const keyFile = found.identity[0] && join(into, `${found.identity[0]}.key`)
  if (keyFile) writeFileSync(keyFile, kitKey(found.identity[0]))
  return { name, path, passphrase: found.passphrase, keyFile, sha: found.payload }
}

/** The program with two people, each in a keystore of its own. */
export class Program {
  constructor(path, into) {
    this.path = path
    this.folder = folder(into)
    writeFileSync(join(into, 'passphrase'), `${PASSPHRASE}\n`)
  }

  run(who, ...words) {
    const env = { ...process.env, ENCL_KEYSTORE: join(this.folder, who), XDG_STATE_HOME: join(this.folder, `${who}.state`), ENCL_PASSPHRASE_FILE: '' }
    delete env.ENCL_PASSPHRASE_FILE
    return execFileSync(this.path, [...words, '--no-input'], { cwd: this.folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Alice signs; Bob and Carol have key files with a passphrase. */
  people() {
    this.run('alice', 'key', 'new', 'alice@example.org', '--name', 'Alice', '--no-passphrase', '-o', 'alice.card')
    this.run('bob', 'key', 'new', 'bob@example.org', '--name', 'Bob', '--new-passphrase-file', 'passphrase', '-o', 'bob.card')
    this.run('bob', 'key', 'export', '-o', 'bob.identity')
    this.run('carol', 'key', 'new', 'carol@example.org', '--name', 'Carol', '--new-passphrase-file', 'passphrase', '-o', 'carol.card')
    this.run('carol', 'key', 'export', '-o', 'carol.identity')
  }

  /** A key file that opens none of these envelopes. */
  get otherKeyFile() {
    return join(this.folder, 'carol.identity')
  }

  /** A file of the program's with these bytes, sealed with these options. */
  sealed(name, bytes, ...options) {
    writeFileSync(join(this.folder, name), bytes)
    this.run('alice', 'wrap', name, '--force', ...options)
    return { name, path: join(this.folder, `${name}.encl`), sha: sha256(bytes), saveAs: basename(name) }
  }

  byPassphrase(name, bytes, ...options) {
    const words = ['--passphrase', '--no-self', '--new-passphrase-file', 'passphrase']
    return { ...this.sealed(name, bytes, ...words, ...options), passphrase: PASSPHRASE }
  }

  forBob(name, bytes, ...options) {
    const found = this.sealed(name, bytes, '--to', 'bob.card', ...options)
    const [keyFile, card] = ['bob.identity', 'alice.card'].map((file) => join(this.folder, file))
    return { ...found, keyFile, card, keyPassphrase: PASSPHRASE, signer: 'Alice' }
  }

  /** Five of which each shows something else. */
  five() {
    return {
      passphrase: [
        this.byPassphrase('report.pdf', randomBytes(100_000)),
        this.byPassphrase('note.txt', Buffer.from('At noon.\nGrüße\n'), '--anonymous'),
        this.byPassphrase('install.sh', Buffer.from('#!/bin/sh\necho hello\n'), '--label', 'class=internal', '--expires', '30d'),
      ],
      key: [
        this.forBob('photo.jpg', randomBytes(3_000_000), '--pad'),
        this.forBob('hidden.bin', randomBytes(16_384), '--private', '--armor'),
      ],
    }
  }

  read(name) {
    return readFileSync(join(this.folder, name))
  }
}
