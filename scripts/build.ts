/** Bundles the program: what a command does not need is a chunk of its own, loaded when it is needed. */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions } from 'esbuild'
import { build } from 'esbuild'
import { keepChecks } from './checked.ts'
import { fewChunks } from './chunks.ts'
import { declarationsAsText } from './declarations.ts'
import { onDemand } from './on-demand.ts'

const folder = process.argv[2] ?? 'dist'
const common: BuildOptions = {
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: false,
  legalComments: 'none',
  logLevel: 'warning',
}
rmSync(folder, { recursive: true, force: true })
const packages = await onDemand(
  ['ajv/dist/2020.js', 're2js', 'yaml', 'handlebars/dist/cjs/handlebars/compiler/base.js'],
  folder,
  common,
)
const { metafile } = await build({
  ...common,
  entryPoints: { cli: 'engine/cli.ts', api: 'engine/api.ts' },
  outdir: folder,
  bundle: true,
  splitting: true,
  format: 'esm',
  plugins: [packages.plugin, declarationsAsText, fewChunks],
  chunkNames: 'chunks/[name]-[hash]',
  external: ['ssh2', 'cpu-features', '*.node', '@mongodb-js/zstd', 'node-liblzma'],
  // packages written for CommonJS expect these
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __toPath } from 'node:url'; import { dirname as __dirnameOf } from 'node:path'; const require = __createRequire(import.meta.url); const __filename = __toPath(import.meta.url); const __dirname = __dirnameOf(__filename);",
  },
  metafile: true,
})
chmodSync(join(folder, 'cli.js'), 0o755)
writeFileSync(join(folder, 'THIRD-PARTY.txt'), notices([...packages.inputs, ...Object.keys(metafile.inputs)]))
keepChecks(folder)

/** The licences of everything that is inside the bundle. */
function notices(inputs: readonly string[]): string {
  const packages = new Set(inputs.flatMap((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []))
  return [...packages]
    .toSorted()
    .map((name) => {
      const home = join('node_modules', name)
      const { version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
        version: string
        license: string
      }
      const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE', 'LICENSE-MIT']
        .map((each) => join(home, each))
        .find((path) => existsSync(path))
      return `${name} ${version} (${license})\n\n${file ? readFileSync(file, 'utf8').trim() : ''}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
