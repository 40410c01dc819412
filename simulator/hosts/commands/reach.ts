import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import type { Wiring } from '../wiring.ts'
import { linksOf } from './links.ts'
import { namespaceOf } from './namespaces.ts'
import { readOptions } from './options.ts'

/** Whether an interface with a link is in the network of an address; a name is reached by management. */
function leadsThere({ nics }: Machine, target: string): boolean {
  const near = nics.filter(({ address }) => address.replace(/\.\d+$/, '') === target.replace(/\.\d+$/, ''))
  return !/^\d+(\.\d+){3}$/.test(target) || near.some(({ up }) => up)
}

/** From a namespace one reaches what is in its network; from the host itself, other hosts. */
export function pinged(
  machine: Machine,
  me: Process,
  target: string,
  reachable: (name: string) => boolean,
  wiring: Wiring,
): boolean {
  const namespace = namespaceOf(machine, me)
  if (namespace !== undefined) return wiring.answers(namespace, target, 'echo') !== undefined
  return reachable(target) && leadsThere(machine, target)
}

export async function ping(
  machine: Machine,
  me: Process,
  args: readonly string[],
  reachable: (name: string) => boolean,
): Promise<number> {
  const { flags, rest } = readOptions(args, ['c', 'W', 'i', 's', 'I', 'w', 'M'])
  const [target = ''] = rest
  const count = Number(flags.get('c') ?? 4)
  const up = reachable(target)
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

export async function arping(machine: Machine, me: Process, args: readonly string[], wiring: Wiring): Promise<number> {
  const { flags, rest } = readOptions(args, ['c', 'w', 'I', 's'])
  const [target = ''] = rest
  const namespace = namespaceOf(machine, me)
  const device = flags.get('I') ?? ''
  const own = linksOf(machine, namespace, wiring.links(namespace)).find(({ name }) => name === device)
  if (!own) {
    me.err(`arping: Device ${device} not available.\n`)
    return 2
  }
  // so often, answered or not, and no longer than a deadline allows
  const times = Number(flags.get('c') ?? flags.get('w') ?? 1)
  const most = Math.min(times, Number(flags.get('w') ?? times))
  let [sent, broadcast, received] = [0, 0, 0]
  me.out(`ARPING ${target} from ${own.address} ${device}\n`)
  while (sent < most) {
    // everybody is asked until somebody has answered, and from then on only who did
    const question = received === 0 ? 'arp_broadcast' : 'arp'
    sent += 1
    if (question === 'arp_broadcast') broadcast += 1
    await me.sleep(1000)
    const mac = namespace === undefined ? undefined : wiring.answers(namespace, target, question)
    if (mac === undefined) continue
    received += 1
    me.out(`Unicast reply from ${target} [${mac.toUpperCase()}]  0.${machine.random.between(600, 950)}ms\n`)
  }
  me.out(`Sent ${sent} probes (${broadcast} broadcast(s))\nReceived ${received} response(s)\n`)
  return received > 0 ? 0 : 1
}
