// Cards: the public half of an identity, signed by its root key.

/** A card that was verified. */
export interface Card {
  /** The root key in hexadecimal. */
  readonly id: string
  /** `id` in 16 groups of four. */
  readonly fingerprint: string
  readonly name: string
  readonly addresses: readonly string[]
  readonly serial: number
  readonly created: string
}

/** One card and nothing else. Throws `EnvelopeError`. */
export function readCard(_text: Uint8Array): Card {
  throw new Error('not there yet')
}

/** All cards in a text that hold, for instance of a message with a card in it; the others are left out. */
export function readCards(_text: Uint8Array): Card[] {
  throw new Error('not there yet')
}
