import type { Fault } from '../../fault.ts'
import { breakIt, fault, onCompute } from './fault.ts'

/** What a guest does, or is, so that it has no address or nobody sees it. */
export const guestFaults: readonly Fault[] = [
  onCompute('network.nak', 'A guest asks for an address that its network does not have', 'guest_asks_wrong'),
  onCompute('network.guest_silent', 'A guest starts and never asks for an address', 'guest_silent'),
  fault(
    'network.guest_keeps_address',
    'A guest still has the address of an earlier lease, whoever serves its network now',
    (world, port, { renews }) => {
      const about = { port: port.id, host: port['binding:host_id'] }
      breakIt(world, { kind: 'guest_keeps_address', ...about, renews: renews === true })
    },
    {
      renews: {
        type: 'boolean',
        description: 'Whether its lease is nearly over, so that it asks anew',
        default: false,
      },
    },
  ),
  fault(
    'network.arp_responder',
    'Hosts answer ARP for the guests whose ports are wired, as with `arp_responder` of the layer-2 agents',
    (world) => breakIt(world, { kind: 'arp_responder' }),
  ),
  fault(
    'network.port_unguarded',
    'The port of a server has no port security, so whatever is sent to its guest reaches it',
    (_, port) => {
      Object.assign(port, { port_security_enabled: false, security_groups: [] })
    },
  ),
  onCompute('network.guest_without_driver', 'A guest finds no network device', 'guest_without_driver'),
  onCompute('network.guest_does_not_boot', 'A guest finds nothing to start from', 'guest_does_not_boot'),
  onCompute('network.console_silent', 'A guest writes nothing of DHCP on its console', 'console_silent'),
  onCompute(
    'network.console_stale',
    'The console shows a lease from an earlier day, and nothing since',
    'console_stale',
  ),
  onCompute(
    'network.console_renewing',
    'The console shows a lease, and after it how the guest fares now',
    'console_renewing',
  ),
  fault(
    'network.config_drive',
    'A server was built with a config drive',
    ({ cloud, ...world }, port, { addresses }) => {
      const found = cloud.nova.servers.find(({ id }) => id === port.device_id)
      if (found) found.configDrive = true
      const about = { port: port.id, host: port['binding:host_id'] }
      if (addresses !== false) breakIt({ cloud, ...world }, { kind: 'guest_static', ...about })
    },
    {
      addresses: { type: 'boolean', description: 'Whether its guest sets its addresses from it', default: true },
    },
  ),
  fault('network.crowded', 'The other guests of a network ask for addresses all the time', (world, port) => {
    breakIt(world, { kind: 'crowded', network: port.network_id, port: port.id })
  }),
  fault('network.server_stopped', 'A server is not running', ({ cloud }, port) => {
    const found = cloud.nova.servers.find(({ id }) => id === port.device_id)
    if (found) Object.assign(found, { vmState: 'stopped', powerState: 4, taskState: null })
  }),
]
