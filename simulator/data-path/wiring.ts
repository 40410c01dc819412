import { noWiring, type Wiring } from '../hosts/wiring.ts'
import { instanceNameOf } from '../openstack/nova/server-view.ts'
import type { World } from '../world.ts'
import { bridgeOf, hostLinks, innerLinks } from './links.ts'
import { breaksOf, broken, deviceOf, guestPortsOn, metadataOn } from './model.ts'
import { ovnAnswer } from './ovn.ts'
import { answers, passing } from './passing.ts'
import { dnsmasq, servedOn } from './served.ts'
import { changeSwitch, switchesOf } from './switches.ts'

/** The virtual network of a host, seen with its own tools. */
export function wiringOf(world: World, host: string): Wiring {
  const { topology } = world
  if (![...topology.controllers, ...topology.computes].includes(host)) return noWiring
  const { neutron } = world.cloud
  const pids = new Map<string, number>()
  const pidOf = (key: string): number => {
    const machine = world.estate.machines.get(host)
    const known = pids.get(key) ?? machine?.processes.claimPid() ?? 0
    if (!pids.has(key)) {
      // the root folder as the process sees it
      machine?.files.folder(`/proc/${known}`, { parents: true })
      machine?.files.link(`/proc/${known}/root`, neutron.path.contained.get(host) ?? '/')
    }
    pids.set(key, known)
    return known
  }
  return {
    namespaces: () => [
      ...servedOn(world, host).map(({ network }) => `qdhcp-${network.id}`),
      ...metadataOn(world, host).map(({ network_id }) => `ovnmeta-${network_id}`),
    ],
    links: (namespace) => (namespace === undefined ? hostLinks(world, host) : innerLinks(world, host, namespace)),
    switches: () => (neutron.path.backend === 'linuxbridge' ? undefined : switchesOf(world, host)),
    changeSwitch: (bridge, change) => changeSwitch(world, host, bridge, change),
    processes: () =>
      servedOn(world, host)
        .filter(({ network }) => !broken(world, 'dnsmasq_dead', { host, network: network.id }))
        .map(({ network, port }) => ({
          pid: pidOf(`${network.id}/${neutron.path.handed.get(network.id) ?? 0}`),
          user: 'nobody',
          command: dnsmasq(world, network, port),
        })),
    interfacesOf: (guest) => {
      const server = world.cloud.nova.servers.find((one) => instanceNameOf(one) === guest)
      return guestPortsOn(world, host)
        .filter((port) => port.device_id === server?.id)
        .flatMap((port) => {
          const elsewhere = breaksOf(world, 'plugged_elsewhere').find((one) => one.port === port.id)
          const device = elsewhere ? (elsewhere.device ?? '') : deviceOf('tap', port)
          const about = { type: 'bridge', source: bridgeOf(world, port), model: 'virtio', mac: port.mac_address }
          return device === '' ? [] : [{ device, ...about }]
        })
    },
    passing: (device, namespace, from, to) => passing(world, { host, device, namespace, from, to }),
    answers: (namespace, address, question) => answers(world, { host, namespace, address, question }),
    ovn: (program, args) => (neutron.path.backend === 'ovn' ? ovnAnswer(world, host, program, args) : undefined),
  }
}
