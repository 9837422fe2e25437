// Opening: progress with Stop, then the result, or the sentence for what went wrong.

import type { Claim, Opened } from '../../lib/mod.ts'
import type { Envelope } from '../chosen.ts'
import { ask, Failure, stop, Stopped, type Watch } from '../client.ts'
import { announce, element, onPress, say, turnTo } from '../dom.ts'
import { Kept } from '../kept.ts'
import type { Failed, OpenRequest } from '../messages.ts'
import { canBeMended, sentence, type Given } from '../words/failures.ts'
import { foreign, type Said } from '../words/said.ts'
import { texts } from '../words/texts.ts'
import { showResult } from './result.ts'
import { isReadable } from './saving.ts'

export interface About {
  readonly envelope: Envelope
  readonly claim: Claim
  readonly given: Given
  /** The field of each key file's passphrase, or the field of key files. */
  readonly keyFields: readonly string[]
}

/** Says a sentence where the secrets are typed, and points to one of their fields. */
type Complain = (said: Said, field: string) => void

export function begin(): void {
  onPress('stop', stop)
}

/** Shows that something is under way. Gives what takes its progress. */
export function showWork(title: string, then?: string): (done: number, total: number) => void {
  const bar = element<HTMLProgressElement>('progress')
  bar.removeAttribute('value')
  say(element('working-title'), title)
  say(element('percent'), '')
  turnTo('working')
  return (done, total) => {
    if (then !== undefined) say(element('working-title'), then)
    const percent = total > 0 ? Math.floor((100 * done) / total) : 0
    bar.value = percent
    say(element('percent'), texts.progress(percent))
  }
}

export async function openAndShow(request: OpenRequest, about: About, complain: Complain): Promise<void> {
  const needsArgon = request.passphrase !== undefined || request.keyFiles.some((file) => file.passphrase !== undefined)
  const progress = showWork(needsArgon ? texts.checking : texts.opening, texts.opening)
  try {
    const { opened, blob } = await openOrTryWords(request, { file: about.envelope.file, progress })
    if (blob && !(await isReadable(blob, opened.bytes))) return showFailure([texts.blobUnreadable], about)
    showResult(opened, blob, about)
  } catch (error) {
    if (error instanceof Stopped) complain([texts.stopped], 'open')
    else if (error instanceof Failure) told(error.failed, about, complain)
    else showFailure([texts.broken], about)
  }
}

/** A passphrase of seven words that was typed with blanks or capitals is tried once more as it was generated. */
async function openOrTryWords(request: OpenRequest, watch: Watch): Promise<{ opened: Opened; blob?: Blob }> {
  try {
    return await openInto(new Kept(), request, watch)
  } catch (error) {
    const words = asWords(request.passphrase ?? '')
    const isWrong = error instanceof Failure && error.failed.kind === 'passphrase' && error.failed.place.of === 'envelope'
    if (!isWrong || words === undefined) throw error
    return openInto(new Kept(), { ...request, passphrase: words }, watch)
  }
}

/** Opens it, and keeps the content if the request says so. */
async function openInto(kept: Kept, request: OpenRequest, watch: Watch): Promise<{ opened: Opened; blob?: Blob }> {
  const { opened } = await ask(request, 'opened', { ...watch, piece: async (bytes) => kept.add(bytes) })
  return { opened, ...(request.keep === 'pieces' && { blob: kept.blob() }) }
}

/** Seven words as `encl` generates them, if the text is seven words and was written otherwise. */
function asWords(typed: string): string | undefined {
  const words = typed.trim().split(/[\s-]+/)
  if (words.length !== 7 || !words.every((word) => /^[a-z]{3,8}$/i.test(word))) return undefined
  const generated = words.join('-').toLowerCase()
  return generated === typed ? undefined : generated
}

function told(failed: Failed, about: About, complain: Complain): void {
  const said = sentence(failed, about.given)
  if (canBeMended(failed)) complain(said, fieldOf(failed, about))
  else showFailure(said, about)
}

function fieldOf({ kind, place }: Failed, { claim, keyFields }: About): string {
  if (place.of === 'identity') return kind === 'passphrase' || kind === 'locked' ? (keyFields[place.position] ?? 'key-file') : 'key-file'
  if (kind === 'quorum') return 'extras-file'
  if (place.of === 'envelope' && kind !== 'passphrase' && claim.keyPossible) return 'key-file'
  return claim.passphraseCost === undefined ? 'key-file' : 'passphrase'
}

function showFailure(said: Said, about: About): void {
  say(element('failure-name'), [foreign(about.envelope.name)])
  say(element('failure-text'), said)
  turnTo('failure')
  announce(said)
}
