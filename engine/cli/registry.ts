import type { Registry } from '../action/registry.ts'
import { registryOf } from '../action/registry.ts'
import { builtIn } from './built-in.ts'
import { loadPlugins } from './plugins.ts'

/** The actions that ship, and those of the plugins that the configuration names. */
export async function loadRegistry(plugins: readonly string[]): Promise<Registry> {
  return registryOf([...builtIn, ...(await loadPlugins(plugins))])
}
