// The armor inside an `.encl.html`, by its exact bytes.

/** Where the armor stands, and what stands before it. */
export interface Armor {
  readonly start: number
  readonly end: number
}

/** The armor of a page that `wrap --html` made. Throws `EnvelopeError`: `not-an-envelope` when a byte is otherwise. */
export function findArmor(_file: Uint8Array): Armor {
  throw new Error('not there yet')
}
