import { pathToFileURL } from 'node:url'
import type { Action } from '../action/contract.ts'
import { RunbookError } from '../error.ts'

/** The actions of the plugins that a configuration names. */
export async function loadPlugins(names: readonly string[]): Promise<readonly Action[]> {
  return (await Promise.all(names.map(load))).flat()
}

async function load(name: string): Promise<readonly Action[]> {
  const from = /^[./]/.test(name) ? pathToFileURL(name).href : name
  try {
    const module = (await import(from)) as { readonly actions?: unknown }
    if (!Array.isArray(module.actions)) throw new Error('it exports no list called `actions`')
    return module.actions as readonly Action[]
  } catch (cause) {
    throw new RunbookError(
      'plugin_not_loaded',
      `the plugin \`${name}\` cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { hint: 'the configuration names plugins by package, or by a path that begins with `.`', cause },
    )
  }
}
