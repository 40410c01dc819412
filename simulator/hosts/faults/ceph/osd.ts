import type { World } from '../../../world.ts'
import type { Param } from '../fault.ts'

export const osd: Param = { type: 'integer', minimum: 0, description: 'The OSD, by its number' }

/** The OSD a parameter names, and its host. @throws when there is none */
export function osdOf({ estate }: World, id: unknown) {
  const found = estate.ceph.osds.get(Number(id))
  const machine = found && estate.machines.get(found.host)
  if (found && machine) return { found, machine }
  throw new Error(`no simulated OSD has the number \`${String(id)}\`; there are 0 to ${estate.ceph.osds.size - 1}`)
}
