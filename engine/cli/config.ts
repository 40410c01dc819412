import { dirname, join, resolve } from 'node:path'
import { closedObject, listOf, text } from '../action/define.ts'
import { RunbookError } from '../error.ts'
import type { JsonObject, Schema } from '../json.ts'
import { configPath } from './config-path.ts'
import type { Io } from './io.ts'
import { packageEntry } from './package-entry.ts'
import { readYaml } from './yaml-file.ts'

/** `runbook.config.yaml`: published as `schemas/config.schema.json`. */
export const configSchema: Schema = closedObject(
  {
    apiVersion: { const: 'runbook/v1', description: 'The version of the format.' },
    runbooks: listOf(
      { type: 'string' },
      'Folders with runbooks, from this file; searched before those that ship with the program.',
    ),
    inventory: text('The inventory, from this file.'),
    runs: text('Where runs are kept, from this file.'),
    plugins: listOf({ type: 'string' }, 'Plugins, by package name or path from this file. Nothing else is loaded.'),
  },
  ['runbooks', 'inventory', 'runs', 'plugins'],
)

export interface Config {
  readonly path: string | undefined
  readonly runbooks: readonly string[]
  readonly inventory: string | undefined
  readonly runs: string
  readonly plugins: readonly string[]
  readonly locks: string
}

/** Where runs are kept: `--runs`, from the working folder; without it as configured, and only then is that read. */
export function runsFolder({ runs }: { readonly runs?: string }, io: Io, config?: Config): string {
  return runs === undefined ? (config ?? configOf(io)).runs : resolve(io.cwd, runs)
}

/** The configuration, looked for from the working folder upwards; without one, the usual places. */
export function configOf(io: Io): Config {
  const path = configPath(io.cwd)
  const state = io.env['XDG_STATE_HOME'] || join(io.home, '.local', 'state')
  const usual = {
    path,
    runbooks: [],
    inventory: undefined,
    runs: join(state, 'runbook', 'runs'),
    plugins: [],
    locks: join(state, 'runbook', 'locks'),
  }
  if (path === undefined) return usual
  const document = readYaml(path, configSchema) as JsonObject
  const here = (value: unknown) => resolve(dirname(path), String(value))
  const list = (value: unknown) => (Array.isArray(value) ? value : [])
  return {
    ...usual,
    runbooks: list(document['runbooks']).map(here),
    inventory: document['inventory'] === undefined ? undefined : here(document['inventory']),
    runs: document['runs'] === undefined ? usual.runs : here(document['runs']),
    plugins: list(document['plugins']).map((name) => pluginAt(String(name), dirname(path))),
  }
}

/** A package that is not found beside the configuration may be beside the program. */
function pluginAt(name: string, folder: string): string {
  return name.startsWith('.') ? resolve(folder, name) : (packageEntry(name, folder) ?? name)
}

export function needed<T>(value: T | undefined, message: string, hint?: string): T {
  if (value === undefined) throw new RunbookError('usage', message, { hint })
  return value
}
