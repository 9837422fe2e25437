// The worker: everything that reads an envelope or touches a secret. It is told the time, and has no other way out than its messages.

import { EnvelopeError, findArmor, InputError, look, open, readApproval, readCard, readIdentity, type Claim, type Input, type Keys } from '../lib/mod.ts'
import { isMakeRequest, make } from './working/making.ts'
import type { Answer, Keep, OpenRequest, Request, Source } from './messages.ts'
import { failed, placed } from './working/failure.ts'
import { handOver, keepNothing, type Keeping } from './working/keeping.ts'
import { pageInput } from './working/page_input.ts'

/** At most so many bytes of an `.encl.html` are looked through: `wrap --html` refuses over 64 MiB of content. */
const PAGE_BYTES_MAX = 128 << 20
/** People see ten steps a second as movement; more of them only cost time. */
const PROGRESS_MS = 100

let last: OpenRequest | undefined
let taken: ((buffer: Uint8Array<ArrayBuffer> | undefined) => void) | undefined
const wanted = new Map<number, (bytes: Uint8Array | undefined) => void>()
let asked = 0

function say(answer: Answer, transfer: Transferable[] = []): void {
  postMessage(answer, { transfer })
}

async function input({ bytes, form }: Source): Promise<Input> {
  if (form === 'envelope') return pageInput(want, 0, bytes)
  if (bytes > PAGE_BYTES_MAX) throw new EnvelopeError('over-limit', 'the file is longer than a page with an envelope can be')
  const whole = pageInput(want, 0, bytes)
  const { start, end, fault } = findArmor(await whole.read(0, whole.size))
  return { ...pageInput(want, start, end), ...(fault && { fault }) }
}

/** Bytes of the file, from the page. */
async function want(start: number, end: number): Promise<Uint8Array> {
  const bytes = await new Promise<Uint8Array | undefined>((resolve) => {
    wanted.set(asked, resolve)
    say({ say: 'want', number: asked++, start, end })
  })
  if (bytes === undefined) throw new InputError('the file cannot be read')
  return bytes
}

async function keys(request: OpenRequest): Promise<Keys> {
  const { cards, approvals, keyFiles, passphrase } = request
  const each = <F, T>(of: 'card' | 'approval' | 'identity', files: readonly F[], read: (file: F) => T | Promise<T>): Promise<T[]> =>
    Promise.all(files.map((file, position) => placed({ of, position }, () => read(file))))
  return {
    cards: await each('card', cards, readCard),
    approvals: await each('approval', approvals, readApproval),
    identities: await each('identity', keyFiles, (file) => readIdentity(file.bytes, file.passphrase)),
    ...(passphrase !== undefined && { passphrase }),
  }
}

function keeping(keep: Keep): Keeping {
  if (keep === 'nothing') return keepNothing()
  return handOver((bytes) => {
    const done = new Promise<Uint8Array<ArrayBuffer> | undefined>((resolve) => {
      taken = resolve
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

/** Nobody is asked for a passphrase of an envelope behind which something else stands. */
async function looked(source: Source): Promise<Claim> {
  const found = await input(source)
  const claim = await look(found)
  if (found.fault) throw found.fault
  return claim
}

async function opened(request: OpenRequest): Promise<void> {
  const output = keeping(request.keep)
  const options = { now: request.now, progress: progress() }
  const result = await open(await input(request.source), await keys(request), output, options)
  await output.finish()
  say({ say: 'opened', opened: result })
}

async function read(request: Extract<Request, { ask: 'read' }>): Promise<void> {
  const { as, bytes, passphrase } = request
  await placed({ of: as, position: 0 }, async () => {
    if (as === 'approval') return say({ say: 'read', id: readApproval(bytes).key })
    const found = as === 'card' ? readCard(bytes) : await readIdentity(bytes, passphrase)
    const card = 'card' in found ? found.card : 'addresses' in found ? found : undefined
    return say({ say: 'read', id: found.id, ...(card && { name: card.name, address: card.addresses[0] ?? '' }) })
  })
}

/** Whoever wanted these bytes is let go with them: each holds a piece of the file. */
function given({ number, bytes }: Extract<Request, { ask: 'give' }>): void {
  const give = wanted.get(number)
  wanted.delete(number)
  give?.(bytes)
}

async function answer(request: Request): Promise<void> {
  if (isMakeRequest(request)) return say(await placed({ of: 'identity', position: 0 }, () => make(request)))
  switch (request.ask) {
    case 'look':
      return say({ say: 'looked', claim: await looked(request.source) })
    case 'read':
      return read(request)
    case 'open':
      // Only what is saved by a second pass is opened again: other secrets are not kept.
      last = request.keep === 'nothing' ? request : undefined
      return opened(request)
    case 'again':
      if (!last) throw new Error('nothing was opened')
      return opened({ ...last, keep: request.keep })
    case 'next':
      return taken?.(request.bytes)
    case 'give':
      return given(request)
  }
}

addEventListener('message', (event: MessageEvent<Request>) => {
  answer(event.data).catch((error: unknown) => say(failed(error)))
})
