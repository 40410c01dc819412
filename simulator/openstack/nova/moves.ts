import type { CloudWorld } from '../cloud.ts'
import type { Asker } from './lifecycle.ts'
import type { Flavor, Migration, NovaServer } from './state.ts'

interface NewMigration {
  readonly kind: Migration['kind']
  readonly status: string
  readonly destination: string | null
  readonly asker: Asker
  readonly newFlavor?: Flavor
}

/** Opens the record of a move away from a server's host. */
export function addMigration(world: CloudWorld, server: NovaServer, wanted: NewMigration): Migration {
  const { nova } = world.cloud
  const { kind, status, destination, asker, newFlavor } = wanted
  const now = world.clock.now()
  const numberOf = (flavor: Flavor) => nova.flavors.findIndex(({ id }) => id === flavor.id) + 1
  const migration: Migration = {
    id: Math.max(0, ...nova.migrations.map(({ id }) => id)) + 1,
    uuid: world.random.uuid(),
    server: server.id,
    kind,
    status,
    source: server.host ?? '',
    destination,
    flavor: numberOf(server.flavor),
    newFlavor: numberOf(newFlavor ?? server.flavor),
    user: asker.user,
    project: asker.project,
    createdAt: now,
    updatedAt: now,
    before: { flavor: server.flavor, vmState: server.vmState },
  }
  nova.migrations.push(migration)
  return migration
}

export function update({ clock }: CloudWorld, migration: Migration, to: Partial<Migration>): void {
  Object.assign(migration, to, { updatedAt: clock.now() })
}

/** The server claims its new place in its own name; the migration keeps the old one until it is over. */
export function leaveFor(
  { cloud: { nova } }: CloudWorld,
  server: NovaServer,
  migration: Migration,
  to: { readonly host: string; readonly flavor: Flavor },
): void {
  server.claimed = to
  nova.holds.push({ consumer: migration.uuid, server: server.id, host: migration.source, flavor: server.flavor })
}

/** What a migration kept is free. */
export function release({ cloud: { nova } }: CloudWorld, { uuid }: Migration): void {
  dropHolds(nova.holds, ({ consumer }) => consumer === uuid)
}

export function dropHolds<Entry>(entries: Entry[], gone: (entry: Entry) => boolean): void {
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    if (gone(entries[index] as Entry)) entries.splice(index, 1)
  }
}

/** Neutron follows the server: its ports are bound on the host where it runs now. */
export function bindPorts({ cloud: { neutron } }: CloudWorld, { id }: NovaServer, host: string): void {
  for (const port of neutron.ports) if (port.device_id === id) port['binding:host_id'] = host
}
