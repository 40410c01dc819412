/** Objects whose keys are data, or are the driver's own words: only their being objects is compared. */
const maps = new Set([
  'addresses',
  'allocations',
  'binding:vif_details',
  'capabilities',
  'configurations',
  'cpu_info',
  'extra_specs',
  'hosts',
  'inventories',
  'metadata',
  'properties',
  'resource_versions',
])

/** Fields that are only there when somebody gave them: to an image, to a user. */
const given = /^(os_(?!hidden$|hash)|owner_specified\.|hw_|default_project_id$)/

/**
 * How two answers differ in shape: fields one has and the other lacks, and values of another kind. Values themselves,
 * null beside anything, and lists of which one is empty do not count. One line for each, with its path.
 */
export function differencesOfShape(real: unknown, simulated: unknown, path = '$'): string[] {
  if (real === null || simulated === null || real === undefined || simulated === undefined) return []
  if (kind(real) !== kind(simulated)) return [`${path}: really a ${kind(real)}, simulated a ${kind(simulated)}`]
  if (Array.isArray(real) && Array.isArray(simulated)) {
    if (real.length === 0 || simulated.length === 0) return []
    return differencesOfShape(merged(real), merged(simulated), `${path}[]`)
  }
  if (!isObject(real) || !isObject(simulated)) return []
  const found: string[] = []
  for (const key of new Set([...Object.keys(real), ...Object.keys(simulated)])) {
    if (given.test(key)) continue
    if (!(key in simulated)) found.push(`${path}.${key}: lacking in the simulator`)
    else if (!(key in real)) found.push(`${path}.${key}: not in the real answer`)
    else if (!maps.has(key)) found.push(...differencesOfShape(real[key], simulated[key], `${path}.${key}`))
  }
  return found
}

/** One item with the fields of all: a field only some items have counts as there. */
function merged(items: readonly unknown[]): unknown {
  if (!items.every(isObject)) return items[0]
  const all: { [key: string]: unknown } = {}
  for (const item of items) {
    for (const [key, value] of Object.entries(item)) {
      if (all[key] === undefined || all[key] === null || (Array.isArray(all[key]) && all[key].length === 0))
        all[key] = value
    }
  }
  return all
}

const kind = (value: unknown): string => (Array.isArray(value) ? 'list' : typeof value)
const isObject = (value: unknown): value is { [key: string]: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
