import type { World } from '../world.ts'
import { consoleOf } from './console.ts'
import { hostFile, leaseFile, servingSince } from './served.ts'
import { wiringOf } from './wiring.ts'

export { dataPathFaults } from './faults.ts'

/** Joins the cloud's networks and its hosts: what the one says of ports is what the other's tools show. */
export function layPaths(world: World): void {
  const { estate, cloud, topology } = world
  const hosts = [...topology.controllers, ...topology.computes]
  const wirings = new Map(hosts.map((host) => [host, wiringOf(world, host)]))
  const without = estate.wiring
  estate.wiring = (host) => wirings.get(host) ?? without(host)
  cloud.consoleOf = (server) => consoleOf(world, server)
  for (const host of topology.controllers) {
    const files = estate.machines.get(host)?.files
    files?.folder('/var/log/neutron', { parents: true })
    for (const network of cloud.neutron.networks.filter(({ id }) => cloud.neutron.dhcp.has(id))) {
      const folder = `/var/lib/neutron/dhcp/${network.id}`
      files?.provide(`${folder}/host`, () => hostFile(world, host, network))
      files?.provide(`${folder}/leases`, () => leaseFile(world, host, network))
      const modifiedAt = () => servingSince(world, host, network)
      const pid = () =>
        wirings
          .get(host)
          ?.processes()
          .find(({ command }) => command.includes(network.id))?.pid ?? ''
      files?.provide(`${folder}/pid`, () => `${pid()}\n`, { modifiedAt })
    }
  }
}
