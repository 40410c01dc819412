import type { World } from '../world.ts'
import { broken, networkOf, subnetsOf } from './model.ts'

interface Answer {
  readonly out: string
  readonly code: number
}

/** What the programs of OVN say. The databases are one: any host with the programs is asked the same. */
export function ovnAnswer(world: World, host: string, program: string, args: readonly string[]): Answer {
  const words = args.filter((arg) => !arg.startsWith('-'))
  const [verb = '', ...rest] = words
  if (program === 'ovn-appctl') return controller(world, host, words)
  const id = program === 'ovn-sbctl' ? (/logical_port="?([^"]+)"?/.exec(args.join(' '))?.[1] ?? '') : (rest[0] ?? '')
  const port = world.cloud.neutron.ports.find((one) => one.id === id)
  if (program === 'ovn-sbctl') {
    if (verb !== 'find') return failed(`ovn-sbctl: unknown command '${verb}'`)
    if (!port) return { out: '', code: 0 }
    const bound = isBound(world, port.id, port['binding:host_id'])
    return { out: `${bound ? port['binding:host_id'] : '[]'},${bound}\n`, code: 0 }
  }
  if (!port) return failed(`ovn-nbctl: ${id}: port name not found`)
  const subnet = subnetsOf(world, networkOf(world, port)).find(({ enable_dhcp }) => enable_dhcp)
  switch (verb) {
    case 'lsp-get-dhcpv4-options': {
      if (!subnet || broken(world, 'ovn_no_options', { port: port.id, host: port['binding:host_id'] }))
        return { out: '', code: 0 }
      return { out: `${subnet.id} (${subnet.cidr})\n`, code: 0 }
    }
    case 'lsp-get-addresses':
      return { out: `${port.mac_address} ${port.fixed_ips.map(({ ip_address }) => ip_address).join(' ')}\n`, code: 0 }
    case 'lsp-get-up':
      return { out: `${isBound(world, port.id, port['binding:host_id']) ? 'up' : 'down'}\n`, code: 0 }
    default:
      return failed(`ovn-nbctl: unknown command '${verb}'; use --help for help`)
  }
}

const isBound = (world: World, port: string, host: string): boolean => !broken(world, 'ovn_unbound', { port, host })

const failed = (out: string): Answer => ({ out: `${out}\n`, code: 1 })

/** `ovn-appctl -t ovn-controller connection-status` */
function controller(world: World, host: string, words: readonly string[]): Answer {
  if (words.at(-1) !== 'connection-status') return failed(`"${words.at(-1)}" is not a valid command`)
  const away = broken(world, 'ovn_disconnected', { host })
  return { out: away ? 'not connected\n' : 'connected\n', code: 0 }
}
