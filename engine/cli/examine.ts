import { resolve } from 'node:path'
import type { Declared } from '../action/declared.ts'
import { registryOf } from '../action/registry.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { inOrder } from '../diagnostic.ts'
import type { Runbook } from '../document/runbook.ts'
import { RunbookError } from '../error.ts'
import { isFolder, namesIn } from '../host/files.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { runbookLibrary } from './library.ts'
import { loadPlugins } from './plugins.ts'
import { loadInventory, prepare } from './prepare.ts'
import { shipped } from './shipped.ts'

export interface Examined {
  /** How many runbooks were checked. */
  readonly count: number
  readonly diagnostics: readonly Diagnostic[]
  /** Whether plugins of the configuration took part. */
  readonly plugins: boolean
  /** They and all that they call, each once. */
  readonly runbooks: readonly Runbook[]
}

/** Checks the runbooks named, or all that can be found. */
export async function examine(
  names: readonly string[],
  options: { readonly inventory?: string },
  io: Io,
): Promise<Examined> {
  const config = configOf(io)
  const registry = registryOf<Declared>([...shipped, ...(await loadPlugins(config.plugins))])
  const library = runbookLibrary(config.runbooks, io.cwd)
  const path = options.inventory ?? config.inventory
  const inventory = path === undefined ? undefined : loadInventory(resolve(io.cwd, path))
  const wanted =
    names.length > 0
      ? names.flatMap((name) => expand(resolve(io.cwd, name), name))
      : library.all().map((each) => each.path)
  const prepared = wanted.map((name) => prepare(name, library, registry, inventory))
  return {
    count: wanted.length,
    diagnostics: inOrder(prepared.flatMap(({ diagnostics }) => diagnostics)),
    plugins: config.plugins.length > 0,
    runbooks: [...new Set(prepared.flatMap(({ runbooks }) => runbooks))],
  }
}

/** A folder stands for the runbooks in it. */
function expand(path: string, name: string): readonly string[] {
  if (!isFolder(path)) return [name]
  const files = namesIn(path).filter((file) => /\.ya?ml$/.test(file))
  if (files.length === 0)
    throw new RunbookError('usage', `no runbook is in the folder \`${name}\``, {
      hint: 'the files of runbooks end in .yaml or .yml; name the folder that they stand in, not one above it',
    })
  return files.map((file) => `${path}/${file}`)
}
