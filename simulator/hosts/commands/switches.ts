import type { Process, Program } from '../machine/process.ts'
import type { Wiring } from '../wiring.ts'
import { vsctl } from './open-vswitch.ts'
import { readOptions } from './options.ts'

/** `bridge link`, and `ovs-vsctl`. */
export function switchPrograms(host: string, wiring: () => Wiring): [string, Program][] {
  return [
    ['bridge', async (me, args) => bridge(wiring(), me, args)],
    ['ovs-vsctl', async (me, args) => vsctl(host, wiring(), me, args)],
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
