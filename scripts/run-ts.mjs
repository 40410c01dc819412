// Runs a TypeScript file of this project: Node 20 cannot by itself.
import { mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const [, , entry = '', ...rest] = process.argv
const folder = mkdtempSync(join('node_modules', '.run-ts-'))
const outfile = join(folder, 'script.mjs')
await build({ entryPoints: [entry], outfile, bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', logLevel: 'error' })
process.argv = [process.argv[0], resolve(entry), ...rest]
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
await import(pathToFileURL(resolve(outfile)).href)
