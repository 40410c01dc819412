/**
 * esbuild makes a chunk of its own for each set of entries that share something, which are dozens, and to load a file
 * costs as much time as to read some ten kilobytes of code. So what the command line loads when it is needed imports here
 * what is loaded before it anyhow: then all share that, and it becomes one chunk. What is evaluated, and when, stays the same.
 */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { Plugin } from 'esbuild'

/** The command line itself. */
const main = 'engine/cli/main.ts'
/** What reads and checks a runbook: nearly every command needs most of it. */
const front = ['cli/prepare', 'cli/library', 'cli/config', 'cli/plugins', 'action/registry']
/** Commands that need nothing of it. */
const light = ['completion', 'explain', 'init'].map((name) => `engine/cli/${name}.ts`)

export const fewChunks: Plugin = {
  name: 'few-chunks',
  setup({ onResolve, onLoad }) {
    const entries = new Set(['engine/api.ts'])
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ kind, path, importer }) => {
      const file = relative('.', join(dirname(importer), path))
      if (kind === 'dynamic-import' && file.startsWith('engine/') && file !== main) entries.add(file)
      return undefined
    })
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const file = relative('.', path)
      if (!entries.has(file)) return undefined
      const before = [main, ...(light.includes(file) ? [] : front.map((each) => `engine/${each}.ts`))]
      const imports = before.map((each) => `import ${JSON.stringify(`./${relative(dirname(file), each)}`)}\n`)
      return { contents: imports.join('') + readFileSync(path, 'utf8'), loader: 'ts' }
    })
  },
}
