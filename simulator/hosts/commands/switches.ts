import type { Process, Program } from '../machine/process.ts'
import type { Switch, Wiring } from '../wiring.ts'
import { readOptions } from './options.ts'

/** `bridge link`, and what is read of Open vSwitch with `ovs-vsctl`. */
export function switchPrograms(wiring: () => Wiring): [string, Program][] {
  return [
    ['bridge', async (me, args) => bridge(wiring(), me, args)],
    ['ovs-vsctl', async (me, args) => vsctl(wiring().switches(), me, args)],
  ]
}

function bridge(wiring: Wiring, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args)
  if (rest[0] !== 'link') {
    me.err(`Object "${rest[0] ?? ''}" is unknown, try "bridge help".\n`)
    return 255
  }
  const devices = wiring.links().filter(({ master }) => master !== undefined && master !== 'ovs-system')
  const json = flags.has('j') || flags.has('json')
  if (json) {
    const rows = devices.map(({ name, master, mtu }, index) => ({
      ifindex: index + 20,
      ifname: name,
      flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
      mtu,
      master,
      state: 'forwarding',
      priority: 32,
      cost: 100,
    }))
    me.out(`${JSON.stringify(rows)}\n`)
  } else {
    for (const [index, { name, master, mtu }] of devices.entries()) {
      me.out(
        `${index + 20}: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu ${mtu} master ${master} state forwarding priority 32 cost 100 \n`,
      )
    }
  }
  return 0
}

function vsctl(switches: readonly Switch[] | undefined, me: Process, args: readonly string[]): number {
  const { flags, rest } = readOptions(args, ['columns', 'f', 'format', 'd', 'data', 't', 'timeout'])
  if (!switches) {
    me.err('ovs-vsctl: unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)\n')
    return 1
  }
  const [verb = '', ...words] = rest
  const all = switches.flatMap((one) => one.ports.map((port) => ({ ...port, bridge: one.name })))
  const named = (name = '') => all.find((port) => port.name === name)
  const refuse = (message: string) => {
    me.err(`ovs-vsctl: ${message}\n`)
    return 1
  }
  switch (verb) {
    case 'list-br':
      me.out(switches.map(({ name }) => `${name}\n`).join(''))
      return 0
    case 'list-ports': {
      const found = switches.find(({ name }) => name === words[0])
      if (!found) return refuse(`no bridge named ${words[0]}`)
      me.out(found.ports.map(({ name }) => `${name}\n`).join(''))
      return 0
    }
    case 'port-to-br': {
      const port = named(words[0])
      if (!port) return refuse(`no port named ${words[0]}`)
      me.out(`${port.bridge}\n`)
      return 0
    }
    case 'get': {
      const [, name, column] = words
      const port = named(name)
      if (!port) return flags.has('if-exists') ? 0 : refuse(`no row "${name}" in table ${words[0]}`)
      if (column !== 'tag') return refuse(`the rehearsal knows only the column tag, not ${column}`)
      me.out(`${port.tag ?? '[]'}\n`)
      return 0
    }
    case 'find': {
      const wanted = /^type="?(\w+)"?$/.exec(words[1] ?? '')?.[1]
      const found = all.filter(({ type }) => wanted !== undefined && type === wanted)
      for (const { name, options = {} } of found) {
        const shown = Object.entries(options).map(([key, value]) => `${key}="${value}"`)
        me.out(`${name},"{${shown.join(', ').replaceAll('"', '""')}}"\n`)
      }
      return 0
    }
    default:
      return refuse(`unknown command '${verb}'; use --help for help`)
  }
}
