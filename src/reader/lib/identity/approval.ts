// Approvals: what one holder sends another so that a lock opens.

/** An approval whose form was judged. Whether it opens shows in its envelope. */
export interface Approval {
  /** P of its envelope, in hexadecimal. */
  readonly policy: string
  readonly lock: number
  /** The id of the key that it is sealed to, in hexadecimal. */
  readonly key: string
}

/** Throws `EnvelopeError`. */
export function readApproval(_text: Uint8Array): Approval {
  throw new Error('not there yet')
}
