import type { Machine, Nic } from '../machine/machine.ts'
import { trafficOf } from '../machine/proc.ts'
import type { Process, Program } from '../machine/process.ts'
import { programFor } from '../shell/resolve.ts'
import type { VirtualLink, Wiring } from '../wiring.ts'
import { enterNamespace, namespaceOf } from './namespaces.ts'
import { readOptions } from './options.ts'

/** `ip`, `ss` and `ping`, as iproute2 6.1 prints. */
export function networkPrograms(
  machine: Machine,
  reachable: (name: string) => boolean,
  wiring: () => Wiring,
): [string, Program][] {
  return [
    ['ip', async (me, args) => ip(machine, me, args, wiring())],
    ['ss', async (me, args) => ss(machine, me, args)],
    ['ping', async (me, args) => ping(machine, me, args, reachable)],
  ]
}

interface Link {
  readonly index: number
  readonly name: string
  readonly flags: readonly string[]
  readonly mtu: number
  readonly state: string
  readonly type: string
  readonly mac: string
  readonly broadcast: string
  readonly address: string
  readonly prefix: number
  readonly nic?: Nic
  readonly virtual?: VirtualLink
}

function linksOf({ nics: all }: Machine, namespace: string | undefined, virtual: readonly VirtualLink[]): Link[] {
  const nics = namespace === undefined ? all : []
  const loopback: Link = {
    index: 1,
    name: 'lo',
    flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
    mtu: 65_536,
    state: 'UNKNOWN',
    type: 'loopback',
    mac: '00:00:00:00:00:00',
    broadcast: '00:00:00:00:00:00',
    address: '127.0.0.1',
    prefix: 8,
  }
  return [
    loopback,
    ...nics.map((nic, index) => ({
      index: index + 2,
      name: nic.name,
      flags: nic.up ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] : ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'],
      mtu: 1500,
      state: nic.up ? 'UP' : 'DOWN',
      type: 'ether',
      mac: nic.mac,
      broadcast: 'ff:ff:ff:ff:ff:ff',
      address: nic.address,
      prefix: nic.prefix,
      nic,
    })),
    ...virtual.map((link, index) => ({
      index: index + 2 + nics.length,
      name: link.name,
      flags: link.up ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] : ['BROADCAST', 'MULTICAST'],
      mtu: link.mtu,
      // Open vSwitch tells the kernel nothing of the state of its own ports
      state: !link.up ? 'DOWN' : link.kind === 'openvswitch' || link.kind === 'tun' ? 'UNKNOWN' : 'UP',
      type: 'ether',
      mac: link.mac,
      broadcast: 'ff:ff:ff:ff:ff:ff',
      address: link.address ?? '',
      prefix: link.prefix ?? 0,
      virtual: link,
    })),
  ]
}

async function ip(machine: Machine, me: Process, given: readonly string[], wiring: Wiring): Promise<number> {
  // options stand before the object; what follows `netns exec` belongs to somebody else
  const object = given.findIndex((arg, index) => !arg.startsWith('-') && !/^-n(etns)?$/.test(given[index - 1] ?? ''))
  const at = given.findIndex((arg, index) => /^-n(etns)?$/.test(arg) && (object === -1 || index < object))
  const args = at === -1 ? given : [...given.slice(0, at), ...given.slice(at + 2)]
  if (at !== -1 && !enter(me, wiring, given[at + 1] ?? '')) return 1
  if (args[0] === 'netns') return netns(machine, me, args.slice(1), wiring)
  const namespace = namespaceOf(machine, me)
  const options = new Set(args.filter((arg) => arg.startsWith('-')).map((arg) => arg.replace(/^-+/, '')))
  const words = args.filter((arg) => !arg.startsWith('-'))
  const json = options.has('j') || options.has('json')
  const brief = options.has('br') || options.has('brief')
  const [kind = 'addr', verb = 'show'] = words
  if (/^l(i(n(k)?)?)?$/.test(kind) && verb === 'set') return setLink(machine, me, words.slice(2))
  const device = words.includes('dev')
    ? words[words.indexOf('dev') + 1]
    : ['show', 'list', 'ls'].includes(verb)
      ? words[2]
      : undefined
  const links = linksOf(machine, namespace, wiring.links(namespace)).filter(
    ({ name }) => device === undefined || name === device,
  )
  if (links.length === 0) {
    me.err(`Device "${device}" does not exist.\n`)
    return 1
  }
  if (kind.startsWith('r')) {
    const gateway = machine.address.replace(/\.\d+$/, '.1')
    if (json) me.out(`${JSON.stringify([{ dst: 'default', gateway, dev: 'eno1', flags: ['onlink'] }])}\n`)
    else me.out(`default via ${gateway} dev eno1 onlink \n`)
    return 0
  }
  const addresses = kind.startsWith('a')
  if (json)
    me.out(
      `${JSON.stringify(links.map((link) => asJson(machine, link, { addresses, brief, statistics: options.has('s'), detailed: options.has('d') || options.has('details') })))}\n`,
    )
  else
    for (const link of links) {
      const oneLine = options.has('o') && addresses
      me.out(brief ? briefLine(link, addresses) : oneLine ? addressLine(link) : fullText(link, addresses))
    }
  return 0
}

function enter(me: Process, wiring: Wiring, name: string): boolean {
  const there = wiring.namespaces().includes(name)
  if (there) enterNamespace(me, name)
  else me.err(`Cannot open network namespace "${name}": No such file or directory\n`)
  return there
}

/** `ip netns list`, and `ip netns exec NAME COMMAND …`. */
async function netns(machine: Machine, me: Process, words: readonly string[], wiring: Wiring): Promise<number> {
  const [verb = 'list', name = '', ...command] = words
  if (verb === 'exec') {
    if (me.user !== 'root') {
      me.err('setting the network namespace failed: Operation not permitted\n')
      return 255
    }
    if (!enter(me, wiring, name)) return 1
    me.argv = command
    return programFor(machine, command[0] ?? '', me)(me, command.slice(1))
  }
  for (const [index, each] of wiring.namespaces().entries()) me.out(`${each} (id: ${index})\n`)
  return 0
}

function asJson(
  machine: Machine,
  link: Link,
  {
    addresses,
    brief,
    statistics,
    detailed,
  }: { addresses: boolean; brief: boolean; statistics: boolean; detailed: boolean },
): object {
  const { index, name, flags, mtu, state, type, mac, broadcast, address, prefix, nic, virtual } = link
  if (brief) {
    return addresses
      ? { ifname: name, operstate: state, addr_info: [{ local: address, prefixlen: prefix }] }
      : { ifname: name, operstate: state, address: mac, flags }
  }
  const { bytes, packets } = trafficOf(machine, link)
  const forever = 4_294_967_295
  return {
    ifindex: index,
    ifname: name,
    flags,
    mtu,
    qdisc: name === 'lo' ? 'noqueue' : 'mq',
    ...(virtual?.master !== undefined && { master: virtual.master }),
    operstate: state,
    ...(!addresses && { linkmode: 'DEFAULT' }),
    group: 'default',
    txqlen: 1000,
    link_type: type,
    address: mac,
    broadcast,
    ...(virtual &&
      detailed && {
        linkinfo: { info_kind: virtual.kind, ...(virtual.vni !== undefined && { info_data: { id: virtual.vni } }) },
      }),
    ...(addresses && {
      addr_info:
        address === ''
          ? []
          : [
              {
                family: 'inet',
                local: address,
                prefixlen: prefix,
                ...(name !== 'lo' && { broadcast: address.replace(/\.\d+$/, '.255') }),
                scope: name === 'lo' ? 'host' : 'global',
                label: name,
                valid_life_time: forever,
                preferred_life_time: forever,
              },
            ],
    }),
    ...(statistics && {
      stats64: {
        rx: { bytes, packets, errors: nic?.rxErrors ?? 0, dropped: 0, over_errors: 0, multicast: 0 },
        tx: {
          bytes: Math.round(bytes * 0.8),
          packets,
          errors: nic?.txErrors ?? 0,
          dropped: 0,
          carrier_errors: 0,
          collisions: 0,
        },
      },
    }),
  }
}

const briefLine = ({ name, state, mac, flags, address, prefix }: Link, addresses: boolean) =>
  `${name.padEnd(16)} ${state.padEnd(14)} ${addresses ? `${address}/${prefix} ` : `${mac} <${flags.join(',')}> `}\n`

/** `ip -o addr`: nothing for a link without an address. */
function addressLine({ index, name, address, prefix }: Link): string {
  if (address === '') return ''
  const scope = name === 'lo' ? 'host' : `global ${name}`
  return `${index}: ${name}    inet ${address}/${prefix} scope ${scope}\\       valid_lft forever preferred_lft forever\n`
}

function fullText(link: Link, addresses: boolean): string {
  const { index, name, flags, mtu, state, type, mac, broadcast, address, prefix } = link
  const queue = name === 'lo' ? 'noqueue' : 'mq'
  const head = `${index}: ${name}: <${flags.join(',')}> mtu ${mtu} qdisc ${queue} state ${state}${addresses ? '' : ' mode DEFAULT'} group default qlen 1000\n    link/${type} ${mac} brd ${broadcast}\n`
  if (!addresses) return head
  if (address === '') return head
  const scope = name === 'lo' ? 'scope host lo' : `brd ${address.replace(/\.\d+$/, '.255')} scope global ${name}`
  return `${head}    inet ${address}/${prefix} ${scope}\n       valid_lft forever preferred_lft forever\n`
}

function setLink(machine: Machine, me: Process, words: readonly string[]): number {
  const name = words[0] === 'dev' ? words[1] : words[0]
  const nic = machine.nics.find((each) => each.name === name)
  if (!nic) {
    me.err(`Cannot find device "${name}"\n`)
    return 1
  }
  if (me.user !== 'root') {
    me.err('RTNETLINK answers: Operation not permitted\n')
    return 2
  }
  nic.up = words.at(-1) === 'up'
  me.effect('host.link', `${machine.name}:${nic.name}`, { up: nic.up })
  return 0
}

const ports: Readonly<Record<string, number>> = {
  'ssh.service': 22,
  'rabbitmq-server.service': 5672,
  'memcached.service': 11_211,
  'mariadb.service': 3306,
  'apache2.service': 80,
  'keystone.service': 5000,
  'nova-api.service': 8774,
  'neutron-server.service': 9696,
  'glance-api.service': 9292,
  'libvirtd.service': 16_509,
}

function ss(machine: Machine, me: Process, args: readonly string[]): number {
  const processes = args.some((arg) => /^-\w*p/.test(arg))
  if (args.includes('established')) return established(machine, me, args)
  me.out('State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n')
  for (const unit of machine.units.list()) {
    const port = ports[unit.name]
    if (port === undefined || unit.active !== 'active') continue
    const name = (unit.kind.command.split(' ')[0] ?? '').replace(/^.*\//, '')
    const who = processes ? `users:(("${name}",pid=${unit.mainPid},fd=3))` : ''
    me.out(
      `${'LISTEN'.padEnd(6)} ${'0'.padEnd(6)} ${'128'.padEnd(6)} ${`0.0.0.0:${port}`.padStart(18)} ${'0.0.0.0:*'.padStart(17)} ${who}\n`,
    )
  }
  return 0
}

/** What talks to RabbitMQ over the network: each agent of OpenStack keeps a connection for as long as it runs. */
function established(machine: Machine, me: Process, args: readonly string[]): number {
  if (!args.some((arg) => /^-\w*H/.test(arg))) me.out('Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n')
  for (const { active, name, mainPid } of machine.units.list()) {
    if (active !== 'active' || !/^(nova|neutron|cinder)-/.test(name)) continue
    const local = `${machine.address}:${32_768 + (mainPid % 28_000)}`
    me.out(`0      0      ${local.padStart(21)} ${'10.77.0.11:5672'.padStart(21)} \n`)
  }
  return 0
}

/** Whether an interface with a link is in the network of an address; a name is reached by management. */
function leadsThere({ nics }: Machine, target: string): boolean {
  const near = nics.filter(({ address }) => address.replace(/\.\d+$/, '') === target.replace(/\.\d+$/, ''))
  return !/^\d+(\.\d+){3}$/.test(target) || near.some(({ up }) => up)
}

async function ping(
  machine: Machine,
  me: Process,
  args: readonly string[],
  reachable: (name: string) => boolean,
): Promise<number> {
  const { flags, rest } = readOptions(args, ['c', 'W', 'i', 's', 'I', 'w', 'M'])
  const [target = ''] = rest
  const count = Number(flags.get('c') ?? 4)
  const up = reachable(target) && leadsThere(machine, target)
  me.out(`PING ${target} (${target}) 56(84) bytes of data.\n`)
  for (let sequence = 1; sequence <= count; sequence += 1) {
    await me.sleep(up ? 1000 : Number(flags.get('W') ?? 1) * 1000)
    if (up)
      me.out(`64 bytes from ${target}: icmp_seq=${sequence} ttl=64 time=0.${machine.random.between(150, 420)} ms\n`)
  }
  me.out(
    `\n--- ${target} ping statistics ---\n${count} packets transmitted, ${up ? count : 0} received, ${up ? 0 : 100}% packet loss, time ${count * 1000}ms\n`,
  )
  return up ? 0 : 1
}
