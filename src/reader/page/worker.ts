// The worker: everything that reads an envelope or touches a secret. It is told the time, and has no other way out than its messages.

import { findArmor, look, open, readApproval, readCard, readIdentity, type Input, type Keys } from '../lib/mod.ts'
import { isMakeRequest, make } from './making.ts'
import type { Answer, OpenRequest, Request, Source } from './messages.ts'
import { blobInput } from './working/blob_input.ts'
import { at, failed } from './working/failure.ts'
import { handOver, keepBlob, keepNothing, type Keeping } from './working/keeping.ts'

/** At most so many bytes of an `.encl.html` are looked through: `wrap --html` refuses over 64 MiB of content. */
const PAGE_BYTES_MAX = 128 << 20
/** People see ten steps a second as movement; more of them only cost time. */
const PROGRESS_MS = 100

let last: OpenRequest | undefined
let stored: (() => void) | undefined

function say(answer: Answer, transfer: Transferable[] = []): void {
  postMessage(answer, { transfer })
}

async function input(source: Source): Promise<Input> {
  const { file, form } = source
  if (form === 'envelope') return blobInput(file)
  const whole = blobInput(file.slice(0, PAGE_BYTES_MAX))
  const { start, end } = findArmor(await whole.read(0, whole.size))
  return blobInput(file.slice(start, end))
}

async function keys(request: OpenRequest): Promise<Keys> {
  const { cards, approvals, keyFiles, passphrase } = request
  const each = <F, T>(of: 'card' | 'approval' | 'identity', files: readonly F[], read: (file: F) => T | Promise<T>): Promise<T[]> =>
    Promise.all(files.map((file, position) => at({ of, position }, () => read(file))))
  return {
    cards: await each('card', cards, readCard),
    approvals: await each('approval', approvals, readApproval),
    identities: await each('identity', keyFiles, (file) => readIdentity(file.bytes, file.passphrase)),
    ...(passphrase !== undefined && { passphrase }),
  }
}

function keeping(keep: OpenRequest['keep']): Keeping {
  if (keep === 'blob') return keepBlob()
  if (keep === 'nothing') return keepNothing()
  return handOver((bytes) => {
    const done = new Promise<void>((resolve) => {
      stored = resolve
    })
    say({ say: 'piece', bytes }, [bytes.buffer])
    return done
  })
}

function progress(): (done: number, total: number) => void {
  let said = 0
  return (done, total) => {
    const now = performance.now()
    if (now - said < PROGRESS_MS) return
    said = now
    say({ say: 'progress', done, total })
  }
}

async function opened(request: OpenRequest): Promise<void> {
  last = request
  const output = keeping(request.keep)
  const options = { now: request.now, progress: progress() }
  const result = await open(await input(request.source), await keys(request), output, options)
  const blob = await output.finish()
  say({ say: 'opened', opened: result, ...(blob && { blob }) })
}

async function read(request: Extract<Request, { ask: 'read' }>): Promise<void> {
  const { as, bytes, passphrase } = request
  await at({ of: as, position: 0 }, async () => {
    if (as === 'approval') return say({ say: 'read', id: readApproval(bytes).key })
    const found = as === 'card' ? readCard(bytes) : await readIdentity(bytes, passphrase)
    const card = 'card' in found ? found.card : 'addresses' in found ? found : undefined
    return say({ say: 'read', id: found.id, ...(card && { name: card.name, address: card.addresses[0] ?? '' }) })
  })
}

async function answer(request: Request): Promise<void> {
  if (isMakeRequest(request)) return say(await at({ of: 'identity', position: 0 }, () => make(request)))
  switch (request.ask) {
    case 'look':
      return say({ say: 'looked', claim: await look(await input(request.source)) })
    case 'read':
      return read(request)
    case 'open':
      return opened(request)
    case 'again':
      if (!last) throw new Error('nothing was opened')
      return opened({ ...last, keep: request.keep })
    case 'next':
      return stored?.()
  }
}

addEventListener('message', (event: MessageEvent<Request>) => {
  answer(event.data).catch((error: unknown) => say(failed(error)))
})
