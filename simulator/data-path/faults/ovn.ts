import type { Fault } from '../../fault.ts'
import { breakIt, fault, onCompute } from './fault.ts'

/** What can be wrong where OVN makes the networks. */
export const ovnFaults: readonly Fault[] = [
  onCompute('network.ovn_no_options', 'OVN has no DHCP options for a port', 'ovn_no_options'),
  onCompute('network.ovn_no_flow', 'OVN has DHCP options for a port, and nobody has made flows of them', 'ovn_no_flow'),
  onCompute('network.ovn_drops', 'A rule of OVN drops what a guest asks', 'ovn_drops'),
  onCompute('network.ovn_unbound', 'No chassis of OVN has claimed a port', 'ovn_unbound'),
  onCompute('network.ovn_elsewhere', 'The chassis of another host has claimed a port', 'ovn_elsewhere'),
  onCompute('network.ovn_no_address', 'OVN does not know the address of a port', 'ovn_no_address'),
  fault('network.ovn_disconnected', 'The host of a server has lost the southbound database of OVN', (world, port) => {
    breakIt(world, { kind: 'ovn_disconnected', host: port['binding:host_id'] })
  }),
]
