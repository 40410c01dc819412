import type { Machine } from '../machine/machine.ts'
import { trafficOf } from '../machine/proc.ts'
import type { Process, Program } from '../machine/process.ts'
import { programFor } from '../shell/resolve.ts'
import type { Wiring } from '../wiring.ts'
import { type Link, linksOf } from './links.ts'
import { ss } from './listeners.ts'
import { enterNamespace, namespaceOf } from './namespaces.ts'
import { arping, ping, pinged } from './reach.ts'

/** `ip` and `ss` as iproute2 6.1 prints, `ping` and `arping` as iputils does. */
export function networkPrograms(
  machine: Machine,
  reachable: (name: string) => boolean,
  wiring: () => Wiring,
): [string, Program][] {
  return [
    ['ip', async (me, args) => ip(machine, me, args, wiring())],
    ['ss', async (me, args) => ss(machine, me, args)],
    ['arping', async (me, args) => arping(machine, me, args, wiring())],
    ['ping', async (me, args) => ping(machine, me, args, (target) => pinged(machine, me, target, reachable, wiring()))],
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
  if (/^l(i(n(k)?)?)?$/.test(kind) && verb === 'set') return setLink(machine, me, words.slice(2), wiring)
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
      ? { ifname: name, operstate: state, addr_info: address === '' ? [] : [{ local: address, prefixlen: prefix }] }
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
  `${name.padEnd(16)} ${state.padEnd(14)} ${addresses ? (address === '' ? '' : `${address}/${prefix} `) : `${mac} <${flags.join(',')}> `}\n`

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

function setLink(machine: Machine, me: Process, words: readonly string[], wiring: Wiring): number {
  const name = words[0] === 'dev' ? words[1] : words[0]
  const nic = machine.nics.find((each) => each.name === name)
  const bridge = wiring.switches()?.find(({ ports }) => ports.some((port) => port.name === name && port.ids))
  if (!nic && bridge && me.user === 'root') {
    wiring.changeSwitch(bridge.name, { is: 'up', name: name ?? '', up: words.at(-1) === 'up' })
    return 0
  }
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
