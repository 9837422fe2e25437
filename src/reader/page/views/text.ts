// A short text shown on request, as text and nothing else.

import { element, onPress, say, show } from '../dom.ts'
import { safeLines } from '../words/escape.ts'
import { texts } from '../words/texts.ts'

const TEXT_BYTES_MAX = 64 << 10

let text: string | undefined
let offered: Blob | undefined

export function begin(): void {
  element('text').setAttribute('aria-label', texts.textLabel)
  onPress('text-show', () => showText(element('text').hidden))
}

/** Offers to show it, if it is UTF-8 text of at most 64 KiB. */
export function offerText(blob: Blob): void {
  if (blob.size === 0 || blob.size > TEXT_BYTES_MAX) return
  offered = blob
  blob.arrayBuffer().then((bytes) => {
    // Another envelope may have been chosen meanwhile.
    if (offered !== blob) return
    text = decoded(bytes)
    show(element('text-part'), text !== undefined)
    showText(false)
  }, hideText)
}

function decoded(bytes: ArrayBuffer): string | undefined {
  try {
    const found = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    // No text file has a zero byte; what has one is shown to nobody's use.
    return found.includes('\0') ? undefined : found
  } catch {
    return undefined
  }
}

function showText(visible: boolean): void {
  const pre = element('text')
  pre.textContent = visible ? safeLines(text ?? '') : ''
  show(pre, visible)
  const button = element('text-show')
  button.setAttribute('aria-expanded', String(visible))
  say(button, visible ? texts.hideText : texts.showText)
}

/** Takes the text out of the page. */
export function hideText(): void {
  text = offered = undefined
  show(element('text-part'), false)
  showText(false)
}
