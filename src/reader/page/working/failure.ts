// An error of the library, the browser or the disk as the page is told of it.

import { EngineError, EnvelopeError, InputError } from '../../lib/mod.ts'
import type { Failed, Place } from '../messages.ts'

/** A failure of one of the things that were given, so that the page can say which. */
class PlacedError extends Error {
  readonly place: Place
  readonly error: unknown

  constructor(place: Place, error: unknown) {
    super(place.of)
    this.place = place
    this.error = error
  }
}

/** Says of what stands in it where it was met. */
export async function placed<T>(place: Place, step: () => T | Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw new PlacedError(place, error)
  }
}

export function failed(error: unknown, place: Place = { of: 'envelope', position: 0 }): Failed {
  if (error instanceof PlacedError) return failed(error.error, error.place)
  const why = error instanceof Error ? error.message : String(error)
  if (error instanceof EnvelopeError) {
    const { kind, detail } = error
    return { say: 'failed', kind, why: error.why, place, ...(detail && { detail }) }
  }
  const cost = error instanceof EngineError ? error.cost : undefined
  return { say: 'failed', kind: kindOfOwn(error), why, place, ...(cost !== undefined && { detail: { cost } }) }
}

function kindOfOwn(error: unknown): Failed['kind'] {
  if (error instanceof InputError) return 'unreadable'
  if (error instanceof EngineError) return `no-${error.lacks}`
  const name = error instanceof Error ? error.name : ''
  if (error instanceof RangeError || name === 'QuotaExceededError' || name === 'NotReadableError') return 'no-store'
  return 'broken'
}
