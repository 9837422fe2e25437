// Sentences as pieces: words of the page, and foreign text that is only ever shown in a frame of its own.

/** A text that somebody else wrote: a name, an address, a file's name. */
interface Foreign {
  readonly foreign: string
}

/** Digits or letters that people compare. */
interface Exact {
  readonly exact: string
}

export type Piece = string | Foreign | Exact

/** One sentence, or a few. */
export type Said = readonly Piece[]

export function foreign(text: string): Foreign {
  return { foreign: text }
}

export function exact(text: string): Exact {
  return { exact: text }
}

/** Several things with commas between them, at most `most` of them. */
export function listed(names: readonly Said[], most = 8): Piece[] {
  const pieces = names.slice(0, most).flatMap((name, at): Piece[] => (at === 0 ? [...name] : [', ', ...name]))
  return names.length > most ? [...pieces, ', …'] : pieces
}
