// What slots and approvals of one lock gave: its secret, or shares of it.

import { byte, equal, label } from '../bytes.ts'
import { sha } from '../crypto/hash.ts'
import { joinShares } from '../crypto/sharing.ts'
import { EnvelopeError } from '../error.ts'
import type { Lock } from './policy_line.ts'

export class Gathered {
  private readonly lock: Lock
  private secret: Uint8Array | undefined
  private readonly shares = new Map<number, Uint8Array>()

  constructor(lock: Lock) {
    this.lock = lock
  }

  isEmpty(): boolean {
    return this.count() === 0
  }

  isEnough(): boolean {
    return this.count() >= this.lock.need
  }

  count(): number {
    return this.lock.need === 1 ? Number(this.secret !== undefined) : this.shares.size
  }

  /** Takes a plaintext. Shares have to be those that the policy knows. */
  take(plain: Uint8Array): void {
    if (this.lock.need === 1) {
      this.secret = plain
      return
    }
    const x = byte(plain, 0)
    const due = this.lock.shares?.[x - 1]
    if (!isShare(plain, due)) {
      throw new EnvelopeError('slot', 'a share that the policy does not know')
    }
    this.shares.set(x, plain.subarray(1))
  }

  /** The secret, once there is enough. */
  join(): Uint8Array {
    const secret = this.secret ?? joinShares(this.shares)
    if (!isSecret(secret, this.lock)) throw new EnvelopeError('slot', 'another secret than the policy commits to')
    return secret
  }
}

/** Whether it is the share of which the policy has this hash. */
export function isShare(plain: Uint8Array, due: Uint8Array | undefined): boolean {
  return due !== undefined && equal(sha(label('encl/1 share'), plain), due)
}

/** Whether the policy commits to it. */
export function isSecret(secret: Uint8Array, lock: Lock): boolean {
  return equal(sha(label('encl/1 lock'), secret), lock.commit)
}
