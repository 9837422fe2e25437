// The envelope inside this very page, as `wrap --html` puts it behind the page's own bytes.

import { envelope } from '../chosen.ts'
import { element, note } from '../dom.ts'
import { texts } from '../words/texts.ts'
import { lookAt } from './choosing.ts'

/** The page's own script, while it runs. */
const own = document.currentScript

/** Looks for it once everything behind this script is there. */
export function begin(): void {
  addEventListener('DOMContentLoaded', () => {
    const found = document.querySelectorAll('#envelope')
    if (found.length > 0) void openFound([...found])
  })
}

async function openFound(found: Element[]): Promise<void> {
  const [only] = found
  if (found.length !== 1 || !isPlaced(only)) return note(element('choose-note'), texts.changedPage, 'bad')
  // The writer ends the tag with a line feed, which is not of the armor.
  const armor = (only.textContent ?? '').replace(/^\n/, '')
  await lookAt(envelope(ownName() ?? texts.embedded, new Blob([armor]), 'envelope'))
}

/** A script that nothing runs, alone behind the page's own: beside it could stand what leads people away. */
function isPlaced(found: Element | undefined): found is HTMLScriptElement {
  if (!(found instanceof HTMLScriptElement) || found.type !== 'text/plain' || found.attributes.length !== 2) return false
  const { body, documentElement: root } = document
  const nodes = [...body.childNodes].filter((node) => !(node instanceof Text && node.data.trim() === ''))
  const isAlone = nodes[nodes.length - 1] === found && nodes[nodes.length - 2] === own
  return isAlone && root.lastChild === body && document.lastChild === root
}

/** The name of this page's file, from which that of the content follows if none is stored inside. */
function ownName(): string | undefined {
  const name = document.URL.split(/[?#]/)[0]?.split('/').pop() ?? ''
  try {
    return /\.encl\.html?$/i.test(name) ? decodeURIComponent(name) : undefined
  } catch {
    return undefined
  }
}
