// Argon2id in threads, and remembered: a kit has dozens of passphrases, a sweep one for thousands of envelopes.

import { availableParallelism } from 'node:os'
import { Worker, isMainThread, parentPort } from 'node:worker_threads'
import { argon2id } from 'hash-wasm'

const THREADS_MAX = 4

/** The same as the library asks of hash-wasm. */
function derive({ passphrase, salt, cost }) {
  const options = { iterations: 3, parallelism: 4, memorySize: 2 ** cost, hashLength: 32, outputType: 'binary' }
  return argon2id({ password: passphrase, salt, ...options })
}

if (!isMainThread) {
  parentPort.on('message', async question => parentPort.postMessage({ number: question.number, key: await derive(question) }))
}

/** A thread that is started with the first question, and ends with the process. */
class Thread {
  waiting = new Map()

  ask(question) {
    if (this.worker === undefined) this.start()
    const number = this.count = (this.count ?? 0) + 1
    this.worker.ref()
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject })
      this.worker.postMessage({ ...question, number })
    })
  }

  start() {
    this.worker = new Worker(new URL(import.meta.url))
    this.worker.on('message', ({ number, key }) => {
      this.waiting.get(number).resolve(key)
      this.waiting.delete(number)
      if (this.waiting.size === 0) this.worker.unref()
    })
    this.worker.on('error', error => this.waiting.forEach(one => one.reject(error)))
  }
}

/** An Argon2 for the library. */
export function remembering() {
  const threads = Array.from({ length: Math.min(availableParallelism(), THREADS_MAX) }, () => new Thread())
  const known = new Map()
  const least = () => threads.reduce((one, other) => (other.waiting.size < one.waiting.size ? other : one))
  return (passphrase, salt, cost) => {
    const name = `${Buffer.from(passphrase).toString('hex')} ${Buffer.from(salt).toString('hex')} ${cost}`
    if (!known.has(name)) known.set(name, least().ask({ passphrase, salt, cost }))
    return known.get(name).then(key => key.slice())
  }
}
