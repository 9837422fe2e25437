// The page: where it may work at all, its words, and its views.

import { element, say, show, turnTo } from './dom.ts'
import * as answering from './views/answering.ts'
import * as choosing from './views/choosing.ts'
import * as embedded from './views/embedded.ts'
import * as opening from './views/opening.ts'
import * as saving from './views/saving.ts'
import * as text from './views/text.ts'
import { language, texts, type StaticText } from './words/texts.ts'

declare const VERSION: string

function fillWords(): void {
  document.documentElement.lang = language
  document.title = texts.title
  for (const place of document.querySelectorAll<HTMLElement>('[data-text]')) {
    say(place, texts[place.dataset['text'] as StaticText])
  }
  element('version').textContent = texts.version(VERSION)
}

/** Why the page does not work here, if it does not. */
function refusal(): string | undefined {
  // Inside another page it could be covered with something that leads the clicks.
  if (window.top !== window.self) return texts.framed
  if (!window.isSecureContext || !crypto.subtle) return texts.insecure
  const needed = [typeof Worker !== 'undefined', 'replaceChildren' in Element.prototype, typeof DecompressionStream !== 'undefined']
  return needed.includes(false) ? texts.oldBrowser : undefined
}

function begin(): void {
  fillWords()
  const reason = refusal()
  if (reason !== undefined) {
    element('refusal').textContent = reason
    return turnTo('refusing')
  }
  for (const view of [answering, choosing, opening, saving, text]) view.begin()
  // From a web server people can take the page along; a file they have already.
  show(element('keep-page'), document.URL.startsWith('https:'))
  turnTo('choosing')
  embedded.begin()
}

begin()
