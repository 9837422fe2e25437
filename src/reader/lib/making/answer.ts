// Invitations and the answers to them: a token that comes with the inviter's card, and goes back beside the own one.

import { fromBase64Url } from '../base64.ts'
import { utf8 } from '../bytes.ts'
import { CARD_PREFIX, type Card, readCard, readCards } from '../identity/card.ts'
import { carry, wrapped } from '../identity/carrier.ts'

const INVITATION = 'encl-invitation1:'
const ANSWER = 'encl-answer1:'
/** 16 bytes in base64url; two check characters stand behind them. */
const TOKEN_CHARS = 22
/** A mail with one card in it is far shorter. */
const TEXT_CHARS_MAX = 1 << 18

interface Invitation {
  /** As it stands in an answer. */
  readonly answer: string
  /** Who invites, as the invitation says. */
  readonly from?: Card
}

/** The token in a text with words, wrapping and quoting around it. Nothing when there is none that is whole. */
export function readInvitation(text: string): Invitation | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined
  for (const [, marked = ''] of text.matchAll(/encl-invitation1:((?:[\w-][\s>]*){24})/g)) {
    const bare = marked.replace(/[\s>]/g, '')
    const token = fromBase64Url(utf8(bare.slice(0, TOKEN_CHARS)))
    // Written again it has the same check characters, or one of its letters is wrong.
    if (token === undefined || carry(INVITATION, token) !== INVITATION + bare) continue
    const [from] = readCards(utf8(text), 1)
    return { answer: ANSWER + bare, ...(from && { from }) }
  }
  return undefined
}

/** What is mailed back: the token, and the card of an exported identity in lines that no mail program wraps. */
export function answerText(answer: string, exported: string): string {
  return `${answer}\n${wrapped(CARD_PREFIX, cardText(exported))}\n`
}

/** The card of an exported identity, as its text. Throws `EnvelopeError`. */
function cardText(exported: string): string {
  const text = /^card (\S+)\r?$/m.exec(exported)?.[1] ?? ''
  readCard(utf8(text))
  return text
}
