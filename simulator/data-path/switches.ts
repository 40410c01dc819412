import type { Switch, SwitchChange } from '../hosts/wiring.ts'
import type { Port } from '../openstack/neutron/state.ts'
import type { World } from '../world.ts'
import {
  broken,
  deviceOf,
  guestPortsOn,
  localVlan,
  networkOf,
  patchPort,
  physicalBridge,
  physicalPatch,
  tunnelAddress,
} from './model.ts'
import { servedOn } from './served.ts'

/** The tag a port gets that belongs to no network any more. */
const deadVlan = 4095

export function changeSwitch({ cloud }: World, host: string, bridge: string, change: SwitchChange): void {
  const { added, mirrors } = cloud.neutron.path
  const here = (one: { readonly host: string }) => one.host === host
  switch (change.is) {
    case 'port':
      added.push({ host, bridge, port: change.port })
      return
    case 'mirror':
      mirrors.push({ host, bridge, mirror: change.mirror })
      return
    case 'up': {
      const found = added.find((one) => here(one) && one.port.name === change.name)
      if (found) found.port.up = change.up
      return
    }
    case 'no_port': {
      const at = added.findIndex((one) => here(one) && one.port.name === change.name)
      if (at !== -1) added.splice(at, 1)
      return
    }
    case 'no_mirror': {
      const at = mirrors.findIndex((one) => here(one) && one.mirror.name === change.name)
      if (at !== -1) mirrors.splice(at, 1)
    }
  }
}

export function switchesOf(world: World, host: string): Switch[] {
  const { hybrid, backend } = world.cloud.neutron.path
  const tagOf = (port: Port) =>
    broken(world, 'dead_vlan', { host, port: port.id }) ? deadVlan : localVlan(world, networkOf(world, port))
  const plugged = guestPortsOn(world, host).filter(
    (port) =>
      port['binding:host_id'] === host &&
      !broken(world, 'tap_missing', { host, port: port.id }) &&
      (hybrid || !broken(world, 'not_in_bridge', { host, port: port.id })),
  )
  const prefix = backend === 'openvswitch' && hybrid ? 'qvo' : 'tap'
  const ports = [
    ...plugged.map((port) => ({
      name: deviceOf(prefix, port),
      ...(backend !== 'ovn' && !broken(world, 'untagged', { host, port: port.id }) && { tag: tagOf(port) }),
    })),
    ...servedOn(world, host).map(({ port }) => ({ name: deviceOf('tap', port), tag: tagOf(port), type: 'internal' })),
  ]
  const peers = [...world.topology.controllers, ...world.topology.computes].filter((one) => one !== host)
  const tunnels = broken(world, 'tunnel_down', { host })
    ? []
    : peers.map((peer, index) => ({
        name: `${backend === 'ovn' ? 'ovn-' : 'vxlan-'}${index + 1}`,
        type: backend === 'ovn' ? 'geneve' : 'vxlan',
        options: { local_ip: tunnelAddress(world, host), remote_ip: tunnelAddress(world, peer) },
      }))
  const uplink = world.cloud.neutron.path.uplinks.get(host)
  const patch = uplink === undefined ? [] : [{ name: physicalPatch, type: 'patch' }]
  const physical =
    uplink === undefined
      ? []
      : [{ name: physicalBridge, ports: [{ name: uplink }, { name: `phy-${physicalBridge}`, type: 'patch' }] }]
  const made: Omit<Switch, 'mirrors'>[] =
    backend === 'ovn'
      ? [{ name: 'br-int', ports: [...ports, ...tunnels] }]
      : [
          { name: 'br-int', ports: [...ports, { name: patchPort, type: 'patch' }, ...patch] },
          ...physical,
          { name: 'br-tun', ports: [{ name: 'patch-int', type: 'patch' }, ...tunnels] },
        ]
  const { added, mirrors, bridges } = world.cloud.neutron.path
  const further = bridges.filter((one) => one.host === host).map(({ name }) => ({ name, ports: [] }))
  const on = (name: string) => (one: { readonly host: string; readonly bridge: string }) =>
    one.host === host && one.bridge === name
  return [...made, ...further].map(({ name, ports: own }) => ({
    name,
    ports: [
      ...own,
      ...added.filter(on(name)).map(({ port: { name: device, ids } }) => ({ name: device, ids, type: 'internal' })),
    ],
    mirrors: mirrors.filter(on(name)).map(({ mirror }) => mirror),
  }))
}
