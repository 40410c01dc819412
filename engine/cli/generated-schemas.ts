import { scenarioSchema } from '../../simulator/scenario-schema.ts'
import { inventorySchema } from '../inventory/inventory.ts'
import type { Schema } from '../json.ts'
import { configSchema } from './config.ts'
import { loadRegistry } from './registry.ts'
import { runbookSchema } from './runbook-schema.ts'

/** The schemas that are made from the code, by name. */
export async function generatedSchemas(): Promise<{ readonly [name: string]: Schema }> {
  return {
    runbook: runbookSchema(await loadRegistry([])),
    inventory: published('inventory', 'Inventory', inventorySchema),
    config: published('config', 'Configuration', configSchema),
    scenario: scenarioSchema(),
  }
}

function published(name: string, title: string, schema: Schema): Schema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `https://runbook.dev/schemas/${name}.schema.json`,
    title,
    ...schema,
  }
}
