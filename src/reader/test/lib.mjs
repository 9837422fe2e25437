// The library as the page has it, bundled into a temporary folder and loaded into Node.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const READER = dirname(dirname(fileURLToPath(import.meta.url)))

/** What tests take beside the public interface. */
const INNER = [
  'base64', 'bytes', 'json/members', 'json/scan', 'json/values', 'crypto/signing', 'crypto/sharing', 'crypto/passphrase',
  'crypto/kem', 'crypto/hash', 'payload/chunks', 'payload/padding', 'payload/digest', 'identity/others', 'identity/gate_card',
  'input/armor', 'input/source', 'envelope/manifest', 'envelope/policy_line', 'identity/card',
]

/** Builds and loads the library. */
export async function load() {
  const names = ['mod', ...INNER]
  const folder = mkdtempSync(join(tmpdir(), 'encl-reader-'))
  try {
    const outfile = join(folder, 'lib.mjs')
    await build({
      stdin: { contents: names.map(name => `export * from './lib/${name}.ts'`).join('\n'), resolveDir: READER },
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      outfile,
      logLevel: 'error',
    })
    return await import(pathToFileURL(outfile).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The public interface alone, minified as in a page: for its size. */
export async function minified() {
  const { outputFiles } = await build({
    entryPoints: [join(READER, 'lib/mod.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify: true,
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0].contents
}
