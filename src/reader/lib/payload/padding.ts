// The end of the plaintext M: what may be padding is kept back until it is known to be content.

import { byte } from '../bytes.ts'

const MARKER = 0x80

/** Bytes that became content: a marker and zeros that were kept back, then a part of what came. */
interface Certain {
  /** The zeros behind the marker; `undefined`: nothing had been kept back. */
  readonly zeros: number | undefined
  readonly bytes: Uint8Array
}

/** Keeps back the last marker and the zeros behind it, as one number. */
export class PaddingFilter {
  /** The zeros behind the marker that is kept back. */
  zeros: number | undefined

  push(data: Uint8Array): Certain {
    let end = data.length
    while (end > 0 && byte(data, end - 1) === 0) end--
    const before = this.zeros
    if (end === 0) {
      if (before === undefined) return { zeros: undefined, bytes: data }
      this.zeros = before + data.length
      return { zeros: undefined, bytes: data.subarray(0, 0) }
    }
    if (byte(data, end - 1) !== MARKER) {
      this.zeros = undefined
      return { zeros: before, bytes: data }
    }
    this.zeros = data.length - end
    return { zeros: before, bytes: data.subarray(0, end - 1) }
  }
}

/** Padmé: the size to which n bytes are padded. Plain arithmetic: n goes up to 2^46. */
export function padme(n: number): number {
  const e = floorLog2(n)
  const s = floorLog2(e) + 1
  const unit = 2 ** Math.max(e - s, 0)
  return Math.ceil(n / unit) * unit
}

/** `Math.log2` is not exact. */
function floorLog2(n: number): number {
  let e = 0
  while (2 ** (e + 1) <= n) e++
  return e
}

/** The zeros that are due behind the marker. */
export function paddingZeros(dataBytes: number, signatureBytes: number): number {
  const bare = dataBytes + 1 + signatureBytes
  return padme(bare) - bare
}
