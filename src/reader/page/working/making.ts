// Making an identity and answering an invitation: the messages, and what the worker does for them.

import type { Card } from '../../lib/mod.ts'
import { readIdentity } from '../../lib/mod.ts'
import { answerText, readInvitation } from '../../lib/making/answer.ts'
import { makeIdentity, type NewIdentity, type Person } from '../../lib/making/identity.ts'
import { safetyNumber } from '../../lib/making/safety_number.ts'

export type MakeRequest =
  | { readonly ask: 'invitation'; readonly text: string }
  | { readonly ask: 'make'; readonly person: Person; readonly passphrase: string }
  /** Opens the key file, as whoever saved it will have to, and gives what is mailed back. */
  | { readonly ask: 'answer'; readonly file: Uint8Array; readonly passphrase?: string; readonly token: string; readonly now: string; readonly inviter?: string }

export type Made =
  | { readonly say: 'invited'; readonly token?: string; readonly from?: Card }
  | { readonly say: 'made'; readonly identity: NewIdentity }
  | { readonly say: 'answered'; readonly card?: Card; readonly isEnded?: boolean; readonly text: string; readonly number?: string }

export function isMakeRequest(request: { readonly ask: string }): request is MakeRequest {
  return ['invitation', 'make', 'answer'].includes(request.ask)
}

export async function make(request: MakeRequest): Promise<Made> {
  if (request.ask === 'make') return { say: 'made', identity: await makeIdentity(request.person, request.passphrase) }
  if (request.ask === 'answer') return answered(request)
  const found = readInvitation(request.text)
  return { say: 'invited', ...(found && { token: found.answer, ...(found.from && { from: found.from }) }) }
}

async function answered({ file, passphrase, token, now, inviter }: Extract<MakeRequest, { ask: 'answer' }>): Promise<Made> {
  const { id, card, ended } = await readIdentity(file, passphrase)
  // Whoever takes such a card cannot seal for it.
  if (ended || (card?.expires !== undefined && card.expires <= now)) return { say: 'answered', isEnded: true, text: '' }
  if (!card) return { say: 'answered', text: '' }
  const text = answerText(token, new TextDecoder().decode(file))
  const number = inviter === undefined ? undefined : await safetyNumber(id, inviter)
  return { say: 'answered', card, text, ...(number !== undefined && { number }) }
}
