// Base64 with padding as a writer makes it.

import { toBase64Url } from '../base64.ts'

export function toBase64(bytes: Uint8Array): string {
  const bare = toBase64Url(bytes).replace(/-/g, '+').replace(/_/g, '/')
  return bare.padEnd(Math.ceil(bare.length / 4) * 4, '=')
}
