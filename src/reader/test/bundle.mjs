// Modules of the reader, bundled as the page has them and loaded into Node. The one place that makes Node like a browser.

import { webcrypto } from 'node:crypto'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const READER = dirname(dirname(fileURLToPath(import.meta.url)))

// Node 18, which Debian has, keeps it in a module only.
globalThis.crypto ??= webcrypto

/** The text of one module with everything that these export. Their paths are those below `src/reader`, without `.ts`. */
export async function bundle(paths, { minify = false } = {}) {
  const { outputFiles } = await build({
    stdin: { contents: paths.map((path) => `export * from './${path}.ts'`).join('\n'), resolveDir: READER },
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    minify,
    write: false,
    logLevel: 'error',
  })
  return outputFiles[0].contents
}

/** Bundles and loads them. */
export async function load(...paths) {
  const text = await bundle(paths)
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`)
}
