// The library as the page has it.

import { bundle, load as loadModules } from './bundle.mjs'

/** What tests take beside the public interface. */
const INNER = [
  'base64', 'bytes', 'json/members', 'json/scan', 'json/values', 'crypto/signing', 'crypto/sharing', 'crypto/passphrase',
  'crypto/kem', 'crypto/hash', 'payload/chunks', 'payload/padding', 'payload/digest', 'identity/revocation', 'identity/group_card', 'identity/gate_card',
  'input/armor', 'input/source', 'envelope/manifest', 'envelope/policy_line', 'identity/card',
]

/** Builds and loads the library. */
export function load() {
  return loadModules('lib/mod', ...INNER.map((name) => `lib/${name}`))
}

/** The public interface alone, minified as in a page: for its size. */
export function minified() {
  return bundle(['lib/mod'], { minify: true })
}
