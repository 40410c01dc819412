import type { ParameterSchema } from './parameters.ts'
import type { World } from './world.ts'

/** One thing that can be wrong with the world, by name: `nova.compute_down`, `hosts.disk_full`. */
export interface Fault {
  readonly name: `${string}.${string}`
  /** What is then wrong, in one line without a full stop. */
  readonly summary: string
  /** A closed JSON Schema of what the fault takes, as `takes` makes it; every field described. */
  readonly params: ParameterSchema
  /** Makes it so, now; `params` have been checked against the schema and hold its defaults. */
  apply(world: World, params: Readonly<Record<string, unknown>>): void
}
