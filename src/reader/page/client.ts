// The page's side of the worker: one question at a time, and an end at once when somebody presses Stop.

import type { Answer, Failed, Request } from './messages.ts'

/** The worker's text, compressed (RFC 1950), in base64. */
declare const PACKED_WORKER: string
declare const trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } } | undefined

/** Somebody pressed Stop. */
export class Stopped extends Error {}

/** What the worker said went wrong. */
export class Failure extends Error {
  readonly failed: Failed

  constructor(failed: Failed) {
    super(failed.why)
    this.failed = failed
  }
}

export interface Watch {
  /** The file whose bytes the worker wants. */
  readonly file?: Blob
  progress?(done: number, total: number): void
  /** Takes a piece of content; the next one comes when this resolves, and the buffer goes back. */
  piece?(bytes: Uint8Array<ArrayBuffer>): Promise<void>
}

/** Lets no address of a script through but that of the worker, which is a Blob of this page. */
const policy = typeof trustedTypes === 'undefined' ? undefined : trustedTypes.createPolicy('encl', { createScriptURL: ofBlob })

function ofBlob(url: string): string {
  if (!url.startsWith('blob:')) throw new TypeError('only the worker of this page is a script')
  return url
}

interface Question {
  readonly due: Answer['say']
  readonly watch: Watch
  answered(answer: Answer): void
  failed(error: unknown): void
}

let code: Promise<Blob> | undefined
let worker: Worker | undefined
let question: Question | undefined

/** Asks the worker and waits for what ends the question: any answer but progress and pieces. */
export function ask<S extends Answer['say']>(request: Request, due: S, watch: Watch = {}): Promise<Extract<Answer, { say: S }>> {
  // The answer to a question that nobody waits for any more would be taken for that to the next one.
  if (question) stop()
  return new Promise((resolve, reject) => {
    // `hear` compares `say` with `due` before it calls this.
    const asked = { due, watch, answered: (answer: Answer) => resolve(answer as Extract<Answer, { say: S }>), failed: reject }
    question = asked
    code ??= unpacked()
    code.then((text) => question === asked && (worker ??= start(text)).postMessage(request)).catch(reject)
  })
}

/** The text of the worker. It is unpacked once. */
async function unpacked(): Promise<Blob> {
  const packed = Uint8Array.from(atob(PACKED_WORKER), (letter) => letter.charCodeAt(0))
  const { readable, writable } = new DecompressionStream('deflate')
  const writer = writable.getWriter()
  const written = writer.write(packed).then(() => writer.close())
  const text = await new Response(readable).text()
  await written
  return new Blob([text], { type: 'text/javascript' })
}

/** Ends the worker with all it holds. What it was doing is `Stopped`. */
export function stop(): void {
  end(new Stopped())
}

function end(error: unknown): void {
  const open = question
  question = undefined
  worker?.terminate()
  worker = undefined
  open?.failed(error)
}

function start(text: Blob): Worker {
  const url = URL.createObjectURL(text)
  const started = new Worker(policy ? policy.createScriptURL(url) : url)
  // The browser has to fetch the text before its address may end.
  started.addEventListener('message', () => URL.revokeObjectURL(url), { once: true })
  started.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
    // What a worker that was ended has still sent is nobody's answer.
    if (started === worker) hear(data, started).catch((error: unknown) => started === worker && end(error))
  })
  started.addEventListener('error', (event) => {
    event.preventDefault()
    if (started === worker) end(new Error(event.message))
  })
  return started
}

/** What is asked back goes to the worker that asked: meanwhile another one may have begun. */
async function hear(answer: Answer, from: Worker): Promise<void> {
  const open = question
  if (!open) return
  if (answer.say === 'progress') return open.watch.progress?.(answer.done, answer.total)
  if (answer.say === 'want') return give(from, answer.number, open.watch.file?.slice(answer.start, answer.end))
  if (answer.say === 'piece') {
    const bytes = answer.bytes as Uint8Array<ArrayBuffer>
    await open.watch.piece?.(bytes)
    from.postMessage({ ask: 'next', bytes } satisfies Request, [bytes.buffer])
    return
  }
  question = undefined
  if (answer.say === 'failed') open.failed(new Failure(answer))
  else if (answer.say === open.due) open.answered(answer)
  else open.failed(new Error(`the worker said ${answer.say}`))
}

/** Hands bytes of the file to the worker that wants them. */
async function give(to: Worker, number: number, part: Blob | undefined): Promise<void> {
  const bytes = await part?.arrayBuffer().then((buffer) => new Uint8Array(buffer), () => undefined)
  const request: Request = { ask: 'give', number, ...(bytes && { bytes }) }
  to.postMessage(request, bytes ? [bytes.buffer] : [])
}
