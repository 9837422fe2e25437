// Saving: a link on a Blob; above 256 MiB, where the browser has a picker, a second pass straight into the chosen file.

import type { Claim, Opened } from '../../lib/mod.ts'
import { ask, type Watch } from '../client.ts'
import { announce, element, note, onPress, say, show, turnTo } from '../dom.ts'
import { ending, isRisky } from '../words/names.ts'
import { texts } from '../words/texts.ts'
import { showWork } from './opening.ts'
import { hideText, offerText } from './text.ts'

/** Up to here content is kept in Blobs even where there is a picker: the picker empties the chosen file before anything is written. */
const BLOB_BYTES_MAX = 256 << 20
/** Blobs beyond this fail in some browsers, without a word to the page. */
const WITHOUT_PICKER_BYTES_MAX = 1 << 30
const PROBE_BYTES = 16 << 10

interface FileStream {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  close(): Promise<void>
  abort(): Promise<void>
}
type Picker = (options: { suggestedName: string }) => Promise<{ createWritable(): Promise<FileStream> }>

interface Offer {
  readonly name: string
  readonly opened: Opened
  /** The envelope, for a second pass. */
  readonly file: Blob
  readonly blob?: Blob
}

let offer: Offer | undefined
let url: string | undefined

export function begin(): void {
  onPress('risky-yes', () => {
    show(element('risky'), false)
    showWays()
    element('save').focus()
  })
  onPress('save-as', () => void saveByPicker())
  onPress('share', () => void share())
}

function picker(): Picker | undefined {
  return (window as { showSaveFilePicker?: Picker }).showSaveFilePicker
}

/** Where the content of this envelope will be kept until it is saved. */
export function howToKeep({ contentBytesMax }: Claim): 'blob' | 'picker' | 'too-large' {
  if (contentBytesMax <= BLOB_BYTES_MAX) return 'blob'
  if (picker()) return 'picker'
  return contentBytesMax <= WITHOUT_PICKER_BYTES_MAX ? 'blob' : 'too-large'
}

/** Whether a Blob gives its first and last bytes: one that cannot be read has the right size all the same. */
export async function isReadable(blob: Blob, bytes: number): Promise<boolean> {
  if (blob.size !== bytes) return false
  try {
    for (const start of [0, Math.max(0, bytes - PROBE_BYTES)]) {
      const probe = blob.slice(start, start + PROBE_BYTES)
      if ((await probe.arrayBuffer()).byteLength !== Math.min(PROBE_BYTES, bytes - start)) return false
    }
    return true
  } catch {
    return false
  }
}

export function offerSaving(opened: Opened, blob: Blob | undefined, name: string, file: Blob): void {
  forgetSaving()
  offer = { name, opened, file, ...(blob && { blob }) }
  const risky = isRisky(name)
  show(element('risky'), risky)
  if (risky) say(element('risky-text'), texts.risky(ending(name)))
  else showWays()
  if (blob) offerText(blob)
}

function showWays(): void {
  if (!offer) return
  const { name, blob } = offer
  show(element('saving'))
  show(element('saving-two'), !blob)
  show(element('save-as'), !blob)
  show(element('in-app'), matchMedia('(pointer: coarse)').matches)
  if (!blob) return
  url = URL.createObjectURL(blob)
  const link = element<HTMLAnchorElement>('save')
  link.href = url
  link.download = name
  say(link, texts.saveNamed(name))
  show(link)
  show(element('share'), canShare(blob, name))
}

function asFile(blob: Blob, name: string): File {
  return new File([blob], name, { type: blob.type })
}

function canShare(blob: Blob, name: string): boolean {
  return 'canShare' in navigator && navigator.canShare({ files: [asFile(blob, name)] })
}

async function share(): Promise<void> {
  if (!offer?.blob) return
  // Whoever closes the list of apps has not failed at anything.
  await navigator.share({ files: [asFile(offer.blob, offer.name)] }).catch(() => undefined)
}

async function saveByPicker(): Promise<void> {
  const choose = picker()
  if (!choose || !offer) return
  const { name, opened, file } = offer
  const handle = await choose.call(window, { suggestedName: name }).catch(() => undefined)
  // Closed without a choice.
  if (!handle) return
  const progress = showWork(texts.writing)
  const isDone = await written(handle, opened, { file, progress })
  const said = isDone ? texts.saved : texts.pickerEmpty
  // After a failure the worker may be gone, and the secrets with it.
  show(element('saving'), isDone)
  turnTo('result')
  note(element('saved'), said, isDone ? 'plain' : 'bad')
  announce(said)
}

/** The second pass. It verifies everything again, and the file is there only if it ends as the first one did. */
async function written(
  handle: { createWritable(): Promise<FileStream> },
  first: Opened,
  watch: Watch,
): Promise<boolean> {
  let stream: FileStream | undefined
  try {
    stream = await handle.createWritable()
    const into = stream
    const { opened } = await ask({ ask: 'again', keep: 'pieces' }, 'opened', { ...watch, piece: (bytes) => into.write(bytes) })
    if (JSON.stringify(opened) !== JSON.stringify(first)) throw new Error('the envelope was changed between the passes')
    await stream.close()
    return true
  } catch {
    await stream?.abort().catch(() => undefined)
    return false
  }
}

/** Takes the content out of the page. */
export function forgetSaving(): void {
  if (url !== undefined) URL.revokeObjectURL(url)
  offer = url = undefined
  const link = element<HTMLAnchorElement>('save')
  link.removeAttribute('href')
  link.replaceChildren()
  for (const id of ['risky', 'saving', 'save', 'save-as', 'share', 'in-app', 'saving-two']) show(element(id), false)
  note(element('saved'))
  hideText()
}
