import { pathToFileURL } from 'node:url'
import { actions as assertActions } from '../../plugins/assert/index.ts'
import { actions as humanActions } from '../../plugins/human/index.ts'
import { actions as inventoryActions } from '../../plugins/inventory/index.ts'
import { actions as localActions } from '../../plugins/local/index.ts'
import { actions as openstackActions } from '../../plugins/openstack/index.ts'
import { actions as sshActions } from '../../plugins/ssh/index.ts'
import { actions as systemdActions } from '../../plugins/systemd/index.ts'
import type { Action } from '../action/contract.ts'
import type { Registry } from '../action/registry.ts'
import { registryOf } from '../action/registry.ts'
import { RunbookError } from '../error.ts'

export const builtIn: readonly Action[] = [
  ...openstackActions,
  ...sshActions,
  ...systemdActions,
  ...localActions,
  ...assertActions,
  ...humanActions,
  ...inventoryActions,
]

/** The actions that ship, and those of the plugins that the configuration names. */
export async function loadRegistry(plugins: readonly string[]): Promise<Registry> {
  const loaded = await Promise.all(plugins.map(load))
  return registryOf([...builtIn, ...loaded.flat()])
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
