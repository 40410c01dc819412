import type { Fault } from '../../fault.ts'
import type { Machine } from '../machine/machine.ts'
import { fault, fromBoot, host, machineOf, nowOrFromBoot, sayKernel } from './fault.ts'

/** What can be wrong with the network of a host, and with the way to it. */
export const linkFaults: Fault[] = [
  fault(
    'hosts.address_gone',
    'A network interface has lost its address, which somebody had given it by hand',
    { host, nic: { type: 'string', default: 'eno2', description: 'The interface' }, from_boot: fromBoot },
    (world, { host, nic, from_boot }) => {
      const machine = machineOf(world, host)
      const found = nicOn(machine, nic)
      const lose = () => {
        found.address = ''
      }
      nowOrFromBoot(machine, from_boot, lose)
    },
  ),
  fault(
    'hosts.bonded',
    'Two network interfaces of a host are a bond',
    {
      host,
      bond: { type: 'string', default: 'bond0', description: 'What it is called' },
      lost: { type: 'string', default: '', description: 'The interface that is not in it from the next boot on' },
    },
    (world, { host, bond, lost }) => {
      const machine = machineOf(world, host)
      const members = machine.nics.map(({ name }) => name)
      const name = String(bond)
      machine.files.provide(`/proc/net/bonding/${name}`, () => bonding(machine, members))
      machine.power.onBoot(() => {
        if (lost !== '') members.splice(members.indexOf(String(lost)), 1)
      })
    },
  ),
  fault(
    'hosts.nic_down',
    'A network interface has lost its carrier',
    { host, nic: { type: 'string', default: 'eno2', description: 'The interface' }, from_boot: fromBoot },
    (world, { host, nic, from_boot }) => {
      const machine = machineOf(world, host)
      const found = nicOn(machine, nic)
      const lose = () => {
        found.up = false
        sayKernel(machine, 6, [`${found.name}: NIC Link is Down`])
      }
      nowOrFromBoot(machine, from_boot, lose)
    },
  ),
  fault('hosts.unreachable', 'A host refuses SSH connections, while its services run', { host }, (world, { host }) => {
    world.estate.reach.set(machineOf(world, host).name, 'refuses')
    world.estate.changed()
  }),
  fault('hosts.silent', 'A host accepts connections and never says a word', { host }, (world, { host }) => {
    world.estate.reach.set(machineOf(world, host).name, 'silent')
    world.estate.changed()
  }),
]

function nicOn(machine: Machine, name: unknown) {
  const found = machine.nics.find((nic) => nic.name === name)
  if (found) return found
  throw new Error(`\`${machine.name}\` has no interface \`${String(name)}\``)
}

/** `/proc/net/bonding/NAME`, as the driver of Linux 6.1 writes it. */
function bonding({ nics, kernel }: Machine, members: readonly string[]): string {
  const head = `Ethernet Channel Bonding Driver: v${kernel}\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\nTransmit Hash Policy: layer3+4 (1)\nMII Status: up\nMII Polling Interval (ms): 100\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\n`
  const each = nics
    .filter(({ name }) => members.includes(name))
    .map(({ name, up, speed, mac }) => {
      const link = up ? `${speed} Mbps\nDuplex: full` : 'Unknown\nDuplex: Unknown'
      return `\nSlave Interface: ${name}\nMII Status: ${up ? 'up' : 'down'}\nSpeed: ${link}\nLink Failure Count: 0\nPermanent HW addr: ${mac}\nSlave queue ID: 0\n`
    })
  return `${head}${each.join('')}`
}
