// Argon2id: by WebAssembly, or where that is off by noble, which is slow.

import { argon2id as plainArgon2id } from '@noble/hashes/argon2.js'
import { argon2id } from 'hash-wasm'

import { utf8 } from '../bytes.ts'
import { EngineError } from '../error.ts'
import { hasWasm, PLAIN_COST_MAX } from './wasm.ts'

const PASSES = 3
const LANES = 4
const KEY_BYTES = 32
const PASSPHRASE_BYTES_MAX = 1024

export type Argon2 = (passphrase: Uint8Array, salt: Uint8Array, cost: number) => Promise<Uint8Array>

/** A passphrase as Argon2id takes it; `undefined` when its length is none that a passphrase has. */
export function normalized(passphrase: string): Uint8Array | undefined {
  const bytes = utf8(passphrase.normalize('NFC'))
  return bytes.length >= 1 && bytes.length <= PASSPHRASE_BYTES_MAX ? bytes : undefined
}

/** Argon2id as the engine can do it, or as it is told to. */
export function argon2Of(choice: 'wasm' | 'plain' | Argon2 | undefined): Argon2 {
  if (typeof choice === 'function') return choice
  const usesWasm = choice === undefined ? hasWasm() : choice === 'wasm'
  return usesWasm ? withWasm : withoutWasm
}

async function withWasm(passphrase: Uint8Array, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  try {
    return await argon2id({
      password: passphrase,
      salt,
      iterations: PASSES,
      parallelism: LANES,
      memorySize: 2 ** cost,
      hashLength: KEY_BYTES,
      outputType: 'binary',
    })
  } catch (error) {
    throw new EngineError('memory', `Argon2id: ${String(error)}`, cost)
  }
}

async function withoutWasm(passphrase: Uint8Array, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  if (cost > PLAIN_COST_MAX) throw new EngineError('wasm', `without WebAssembly a passphrase of cost ${cost} cannot be tried`, cost)
  const options = { t: PASSES, m: 2 ** cost, p: LANES, dkLen: KEY_BYTES, maxmem: 2 ** 32 - 1 }
  try {
    return plainArgon2id(passphrase, salt, options)
  } catch (error) {
    throw new EngineError('memory', `Argon2id: ${String(error)}`, cost)
  }
}
