import type { Port } from '../openstack/neutron/state.ts'
import { uuidOf } from '../random.ts'
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
  if (program === 'ovn-trace') return trace(world, args)
  const id = program === 'ovn-sbctl' ? (/logical_port="?([^"]+)"?/.exec(args.join(' '))?.[1] ?? '') : (rest[0] ?? '')
  const port = world.cloud.neutron.ports.find((one) => one.id === id)
  if (program === 'ovn-sbctl') {
    if (verb === 'list' && rest[0] === 'Chassis') return chassis(world, rest[1] ?? '')
    if (verb !== 'find') return failed(`ovn-sbctl: unknown command '${verb}'`)
    if (!port) return { out: '', code: 0 }
    const on = claimedBy(world, port)
    return { out: `${on === undefined ? '' : chassisOf(on)},${on !== undefined}\n`, code: 0 }
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
      return { out: `${[port.mac_address, ...addressesOf(world, port)].join(' ')}\n`, code: 0 }
    case 'lsp-get-up':
      return { out: `${claimedBy(world, port) === undefined ? 'down' : 'up'}\n`, code: 0 }
    default:
      return failed(`ovn-nbctl: unknown command '${verb}'; use --help for help`)
  }
}

/**
 * `ovn-trace` of what a guest asks of DHCP, in its detailed form: an answer that goes back to the guest, or the
 * question flooded to whoever else is in the network, or dropped. It reads the southbound database only: whether a
 * host does what stands there, it cannot tell.
 */
function trace(world: World, args: readonly string[]): Answer {
  const [datapath = '', flow = ''] = args.filter((arg, index) => !arg.startsWith('-') && args[index - 1] !== '--ct')
  const network = world.cloud.neutron.networks.find(({ id, name }) => [`neutron-${id}`, name].includes(datapath))
  if (!network) return failed(`ovn-trace: unknown datapath "${datapath}"`)
  const id = /inport *== *"([^"]+)"/.exec(flow)?.[1] ?? ''
  const port = world.cloud.neutron.ports.find((one) => one.id === id && one.network_id === network.id)
  if (!port) return failed(`ovn-trace: Syntax error at \`"${id}"' expecting port name.`)
  const asks = /udp\.src *== *68/.test(flow) && /udp\.dst *== *67/.test(flow) && flow.includes(port.mac_address)
  const subnet = subnetsOf(world, network).find(({ enable_dhcp }) => enable_dhcp)
  const about = { port: port.id, host: port['binding:host_id'] }
  const has = (['ovn_no_options', 'ovn_no_address', 'ovn_no_flow'] as const).every(
    (kind) => !broken(world, kind, about),
  )
  const offer = asks && subnet && has ? port.fixed_ips[0]?.ip_address : undefined
  const dropped = !port.admin_state_up || broken(world, 'ovn_drops', about)
  const first = port.admin_state_up
    ? [stage(0, 'ls_in_check_port_sec', '1', 50, ['reg0[15] = check_in_port_sec();', 'next;'])]
    : [stage(0, 'ls_in_check_port_sec', `inport == "${port.id}"`, 100, ['drop;'])]
  const guarded = dropped
    ? [stage(8, 'ls_in_acl_eval', `inport == "${port.id}" && ip4 && udp.dst == 67`, 2001, ['drop;'])]
    : [stage(8, 'ls_in_acl_eval', dhcpAllowed(port), 2002, ['reg8[16] = 1;', 'next;'])]
  const stages = !port.admin_state_up
    ? first
    : [
        ...first,
        ...guarded,
        ...(dropped ? [] : offer === undefined ? flooded : answered(port, offer, subnet?.gateway_ip ?? '')),
      ]
  return {
    code: 0,
    out: [
      `# udp,reg14=0x2,vlan_tci=0x0000,dl_src=${port.mac_address},dl_dst=ff:ff:ff:ff:ff:ff,nw_src=0.0.0.0,nw_dst=255.255.255.255,nw_tos=0,nw_ecn=0,nw_ttl=64,nw_frag=no,tp_src=68,tp_dst=67`,
      '',
      ...headed(`ingress(dp="${network.name}", inport="${port.id}")`),
      ...stages.flat(),
      ...(dropped ? [] : egress(world, port, network.name, offer !== undefined)),
      '',
    ].join('\n'),
  }
}

const headed = (title: string): string[] => [title, '-'.repeat(title.length)]

const stage = (table: number, name: string, match: string, priority: number, actions: readonly string[]): string[] => [
  `${String(table).padStart(2)}. ${name} (northd.c:${6_000 + table * 117}): ${match}, priority ${priority}, uuid ${uuidOf(`flow/${name}/${match}`).slice(0, 8)}`,
  ...actions.map((action) => `    ${action}`),
]

const dhcpAllowed = ({ id }: Port): string =>
  `inport == "${id}" && ip4 && ip4.dst == 255.255.255.255 && udp && udp.src == 68 && udp.dst == 67`

function answered({ id, mac_address: mac }: Port, offer: string, server: string): string[][] {
  const asked = `inport == "${id}" && eth.src == ${mac}`
  const options = `offerip = ${offer}, dns_server = {${server}}, domain_name = "openstacklocal", lease_time = 43200, mtu = 1442, netmask = 255.255.0.0, router = ${server}, server_id = ${server}`
  return [
    stage(
      22,
      'ls_in_dhcp_options',
      `${asked} && ip4.src == 0.0.0.0 && ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67`,
      100,
      [
        `reg0[3] = put_dhcp_opts(${options});`,
        '/* We assume that this packet is DHCPDISCOVER or DHCPREQUEST. */',
        'next;',
      ],
    ),
    stage(23, 'ls_in_dhcp_response', `${asked} && ip4 && udp.src == 68 && udp.dst == 67 && reg0[3]`, 100, [
      'eth.dst = eth.src;',
      'eth.src = fa:16:3e:00:00:01;',
      `ip4.src = ${server};`,
      'udp.src = 67;',
      'udp.dst = 68;',
      'outport = inport;',
      'flags.loopback = 1;',
      'output;',
    ]),
  ]
}

/** Without an answer it is a broadcast like any other. */
const flooded = [stage(27, 'ls_in_l2_lkup', 'eth.mcast', 70, ['outport = "_MC_flood";', 'output;'])]

function egress(world: World, port: Port, name: string, answers: boolean): string[] {
  const way = (outport: string) => [
    ...headed(`egress(dp="${name}", inport="${port.id}", outport="${outport}")`),
    ...stage(9, 'ls_out_check_port_sec', '1', 0, ['reg0[15] = check_out_port_sec();', 'next;']),
    ...stage(10, 'ls_out_apply_port_sec', '1', 0, ['output;']),
    `    /* output to "${outport}", type "" */`,
  ]
  if (answers) return ['', ...way(port.id)]
  const others = world.cloud.neutron.ports.filter((one) => one.network_id === port.network_id && one.id !== port.id)
  return [
    '',
    ...headed(`multicast(dp="${name}", mcgroup="_MC_flood")`),
    ...others.flatMap((one) => ['', ...way(one.id)]),
  ]
}

/** The host whose chassis has claimed a port. */
function claimedBy(world: World, { id: port, 'binding:host_id': host }: Port): string | undefined {
  if (broken(world, 'ovn_unbound', { port, host })) return undefined
  const elsewhere = world.topology.computes.find((one) => one !== host)
  return broken(world, 'ovn_elsewhere', { port, host }) ? elsewhere : host
}

const addressesOf = (world: World, port: Port): string[] =>
  broken(world, 'ovn_no_address', { port: port.id, host: port['binding:host_id'] })
    ? []
    : port.fixed_ips.map(({ ip_address }) => ip_address)

const chassisOf = (host: string): string => uuidOf(`chassis/${host}`)

function chassis(world: World, id: string): Answer {
  const found = world.topology.computes.find((host) => chassisOf(host) === id)
  return found === undefined ? failed(`ovn-sbctl: no row "${id}" in table Chassis`) : { out: `${found}\n`, code: 0 }
}

const failed = (out: string): Answer => ({ out: `${out}\n`, code: 1 })

/** `ovn-appctl -t ovn-controller connection-status` */
function controller(world: World, host: string, words: readonly string[]): Answer {
  if (words.at(-1) !== 'connection-status') return failed(`"${words.at(-1)}" is not a valid command`)
  const away = broken(world, 'ovn_disconnected', { host })
  return { out: away ? 'not connected\n' : 'connected\n', code: 0 }
}
