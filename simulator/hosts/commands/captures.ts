import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import type { Frame, Wiring } from '../wiring.ts'
import { namespaceOf } from './namespaces.ts'
import { readOptions } from './options.ts'

/** How often a capture looks for what has passed, in milliseconds. */
const every = 500

/** `tcpdump` of DHCP, as 4.99 prints it with `-e -n -v`; other traffic is not simulated, so only a filter for DHCP shows anything. */
export function tcpdumpProgram(machine: Machine, wiring: () => Wiring): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, ['i', 'c', 's', 'w', 'r', 'G', 'W', 'B', 'Z'])
    if (me.user !== 'root') {
      me.err("tcpdump: eth0: You don't have permission to perform this capture on that device\n")
      return 1
    }
    const device = String(flags.get('i') ?? 'eno1')
    const namespace = namespaceOf(machine, me)
    const links = [
      ...(namespace === undefined ? machine.nics.map(({ name }) => name) : []),
      ...wiring()
        .links(namespace)
        .map(({ name }) => name),
    ]
    if (!links.includes(device)) {
      me.err(`tcpdump: ${device}: No such device exists\n(No such device exists)\n`)
      return 1
    }
    if (
      wiring()
        .links(namespace)
        .some(({ name, up }) => name === device && !up)
    ) {
      me.err(`tcpdump: ${device}: That device is not up\n`)
      return 1
    }
    const filter = rest.join(' ')
    me.err(`tcpdump: listening on ${device}, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n`)
    const most = Number(flags.get('c') ?? Number.POSITIVE_INFINITY)
    let from = machine.now()
    let seen = 0
    const summary = () =>
      me.err(`${seen} packets captured\n${seen} packets received by filter\n0 packets dropped by kernel\n`)
    try {
      while (seen < most) {
        await me.sleep(every)
        const to = machine.now()
        for (const frame of wiring().passing(device, namespace, from, to)) {
          if (!matches(filter, frame) || seen >= most) continue
          seen += 1
          me.out(printed(frame))
        }
        from = to
      }
      summary()
      return 0
    } catch (error) {
      summary()
      throw error
    }
  }
}

/** Whether a filter lets a frame through: in a tunnel only what asks for its port sees it, in a VLAN what asks for VLANs. */
function matches(filter: string, { tunnel, vlan, from, to, client }: Frame): boolean {
  // whom a message is about, by its place behind the header of UDP and, in a tunnel, behind those of the tunnel too
  const [first, rest] = (tunnel ? [86, 90] : [36, 40]).map(
    (at) => new RegExp(`udp\\[${at}:\\d\\] = 0x([0-9a-f]+)`).exec(filter)?.[1],
  )
  if (first !== undefined && `${first}${rest}` !== client.replaceAll(':', '')) return false
  if (tunnel) return /port 4789|port 6081/.test(filter)
  if (vlan !== undefined && !/\bvlan\b/.test(filter)) return false
  const [, mac] = /ether host ([0-9a-f:]{17})/.exec(filter) ?? []
  return /port (67|68|bootps|bootpc)/.test(filter) && (mac === undefined || [from, to].includes(mac))
}

const codes = { DISCOVER: 'Discover', OFFER: 'Offer', REQUEST: 'Request', ACK: 'ACK', NAK: 'NACK' } as const

function printed({ at, message, client, from, to, server, address, tunnel, vlan }: Frame): string {
  const time = new Date(at).toISOString().slice(11, 23)
  const up = message === 'DISCOVER' || message === 'REQUEST'
  const ends = up ? '0.0.0.0.68 > 255.255.255.255.67' : `${server}.67 > ${address ?? '255.255.255.255'}.68`
  const kind =
    vlan === undefined
      ? 'ethertype IPv4 (0x0800), length 342:'
      : `ethertype 802.1Q (0x8100), length 346: vlan ${vlan}, p 0, ethertype IPv4 (0x0800),`
  const head = `${from} > ${to}, ${kind} (tos 0x10, ttl 128, id 0, offset 0, flags [none], proto UDP (17), length 328)`
  const outside = tunnel
    ? `${time} 3c:ec:ef:00:00:01 > 3c:ec:ef:00:00:02, ethertype IPv4 (0x0800), length 392: (tos 0x0, ttl 64, id 4711, offset 0, flags [none], proto UDP (17), length 378)\n    ${tunnel.from}.48122 > ${tunnel.to}.4789: VXLAN, flags [I] (0x08), vni ${tunnel.vni}\n${head}`
    : `${time} ${head}`
  return [
    outside,
    `    ${ends}: BOOTP/DHCP, ${up ? `Request from ${client}` : 'Reply'}, length 300, xid 0x3f1d2c5b, Flags [none]`,
    ...(message === 'OFFER' || message === 'ACK' ? [`\t  Your-IP ${address}`] : []),
    `\t  Client-Ethernet-Address ${client}`,
    '\t  Vendor-rfc1048 Extensions',
    '\t    Magic Cookie 0x63825363',
    `\t    DHCP-Message (53), length 1: ${codes[message]}`,
    ...(server === undefined ? [] : [`\t    Server-ID (54), length 4: ${server}`]),
    '',
  ].join('\n')
}

export function ovnPrograms(wiring: () => Wiring): [string, Program][] {
  const program =
    (name: string): Program =>
    async (me: Process, args) => {
      const answer = wiring().ovn(name, args)
      if (!answer) {
        me.err(`bash: ${name}: command not found\n`)
        return 127
      }
      if (answer.code === 0) me.out(answer.out)
      else me.err(answer.out)
      return answer.code
    }
  return ['ovn-nbctl', 'ovn-sbctl', 'ovn-appctl', 'ovn-trace'].map((name) => [name, program(name)])
}
