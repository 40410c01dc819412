import type { Fault } from '../../fault.ts'
import { dockerProgram } from '../commands/docker.ts'
import { installKernel } from '../furnish.ts'
import { fault, host, machineOf, type Param, percentage, sayKernel } from './fault.ts'

const fromBoot: Param = { type: 'boolean', default: false, description: 'Only from the next boot of the host on' }

const afterBoot: Param = {
  type: 'string',
  enum: ['there', 'gone'],
  default: 'there',
  description: 'Whether it is there from the next boot of the host on',
}

const health = (description: string, byDefault: string): Param => ({
  type: 'string',
  enum: ['healthy', 'unhealthy', 'health: starting', 'gone'],
  default: byDefault,
  description,
})

/** What can be wrong with a single host. */
export const machineFaults: Fault[] = [
  fault(
    'hosts.file',
    'A file that somebody left on a host',
    {
      host,
      path: { type: 'string', description: 'Where it is' },
      content: { type: 'string', description: 'What it holds' },
    },
    (world, { host, path, content }) => {
      const { files } = machineOf(world, host)
      const folder = String(path).replace(/\/[^/]*$/, '')
      if (folder !== '' && !files.find(folder)) files.folder(folder, { parents: true })
      files.write(String(path), String(content))
    },
  ),
  fault(
    'hosts.file_gone',
    'Somebody has removed a file of a host',
    { host, path: { type: 'string', description: 'Where it was' } },
    (world, { host, path }) => {
      machineOf(world, host).files.remove(String(path))
    },
  ),
  fault(
    'hosts.kernel_installed',
    'A newer kernel is installed on a host, and runs from its next boot on',
    {
      host,
      release: { type: 'string', description: 'The kernel, as `uname -r` says it' },
      first: { type: 'boolean', default: true, description: 'Whether it is the first in the menu of the boot loader' },
      runs: {
        type: 'boolean',
        default: true,
        description: 'Whether it runs in the end; the one from before otherwise',
      },
    },
    (world, { host, release, first, runs }) => {
      const machine = machineOf(world, host)
      const newer = String(release)
      const menu = [newer, machine.kernel]
      installKernel(machine, newer, first === true ? menu : menu.toReversed())
      machine.power.onBoot(() => {
        if (first === true && runs === true) machine.kernel = newer
      })
    },
  ),
  fault(
    'hosts.disk_full',
    'A file system is almost out of room',
    {
      host,
      mount: { type: 'string', default: '/', description: 'Where it is mounted' },
      percent: percentage('How full it is, as df shows it', 97),
    },
    (world, { host, mount, percent }) => {
      const found = mountOn(machineOf(world, host), String(mount))
      const usable = found.type === 'ext4' ? found.size - Math.round(found.size * 0.05) : found.size
      found.used = Number(percent) >= 100 ? found.size : Math.floor((usable * Number(percent)) / 100)
    },
  ),
  fault(
    'hosts.inodes_full',
    'A file system is almost out of inodes',
    {
      host,
      mount: { type: 'string', default: '/', description: 'Where it is mounted' },
      percent: percentage('How many are used, as df shows it', 98),
    },
    (world, { host, mount, percent }) => {
      const found = mountOn(machineOf(world, host), String(mount))
      found.inodesUsed = Math.floor((found.inodes * Number(percent)) / 100)
    },
  ),
  fault(
    'hosts.unit_failed',
    'A systemd unit has failed, and stays so until somebody starts it',
    { host, unit: { type: 'string', description: 'The unit, with or without `.service`' }, from_boot: fromBoot },
    (world, { host, unit, from_boot }) => {
      const machine = machineOf(world, host)
      const found = unitOn(machine, unit)
      if (from_boot === true) machine.units.hold(found.name, `Failed to start ${found.kind.description}.`)
      else machine.units.fail(String(unit))
    },
  ),
  fault(
    'hosts.unit_disabled',
    'Somebody has disabled a unit: it runs, and does not start by itself with the next boot',
    { host, unit: { type: 'string', description: 'The unit, with or without `.service`' } },
    (world, { host, unit }) => {
      unitOn(machineOf(world, host), unit).enabled = false
    },
  ),
  fault(
    'hosts.unit_slow',
    'A unit takes long to start, from its next start on',
    {
      host,
      unit: { type: 'string', description: 'The unit, with or without `.service`' },
      minutes: { type: 'number', minimum: 0, default: 12, description: 'How long, in minutes' },
    },
    (world, { host, unit, minutes }) => {
      const machine = machineOf(world, host)
      machine.units.delay(unitOn(machine, unit).name, Number(minutes) * 60_000)
    },
  ),
  fault(
    'hosts.unit_slow_to_stop',
    'A unit takes long to stop: what it waits for does not answer',
    {
      host,
      unit: { type: 'string', description: 'The unit, with or without `.service`' },
      minutes: { type: 'number', minimum: 0, default: 6, description: 'How long, in minutes' },
    },
    (world, { host, unit, minutes }) => {
      const machine = machineOf(world, host)
      machine.units.delayStop(unitOn(machine, unit).name, Number(minutes) * 60_000)
    },
  ),
  fault(
    'hosts.mounted',
    'A host has a further file system, which somebody may have forgotten to write into `fstab`',
    {
      host,
      at: { type: 'string', default: '/var/lib/nova/instances', description: 'Where it is mounted' },
      source: { type: 'string', default: 'nas1:/srv/instances', description: 'What is mounted there' },
      type: { type: 'string', default: 'nfs4', description: 'What it is' },
      from_boot: afterBoot,
    },
    (world, { host, at, source, type, from_boot }) => {
      const machine = machineOf(world, host)
      const size = 1_000_000_000
      const room = { size, used: Math.round(size * 0.3), inodes: 60_000_000, inodesUsed: 40_000 }
      const made = { device: String(source), at: String(at), type: String(type), options: 'rw,relatime', ...room }
      machine.mounts.push(made)
      if (from_boot !== 'gone') return
      machine.power.onBoot(() => {
        const index = machine.mounts.indexOf(made)
        if (index !== -1) machine.mounts.splice(index, 1)
      })
    },
  ),
  fault(
    'hosts.fstab_line',
    'A line stands in `fstab` of a host that somebody has forgotten there',
    { host, line: { type: 'string', description: 'The line' } },
    (world, { host, line }) => machineOf(world, host).files.append('/etc/fstab', `${String(line)}\n`),
  ),
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
      if (from_boot === true) machine.power.onBoot(lose)
      else lose()
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
    'hosts.unit_added',
    'A host also runs something that is usually elsewhere',
    { host, unit: { type: 'string', description: 'The unit, without `.service`: `ceph-osd@3`, `haproxy`' } },
    (world, { host, unit }) => {
      const name = String(unit)
      machineOf(world, host).units.add({ name: `${name}.service`, description: name, command: `/usr/bin/${name}` })
    },
  ),
  fault(
    'hosts.container',
    'A host runs a container of docker',
    {
      host,
      name: { type: 'string', description: 'Its name' },
      health: health('What its check says', 'healthy'),
      from_boot: health('The same from the next boot of the host on', 'healthy'),
    },
    (world, { host, name, health, from_boot }) => {
      const machine = machineOf(world, host)
      machine.programs.set('docker', dockerProgram(machine))
      machine.containers.set(String(name), { health: String(health) })
      machine.power.onBoot(() => machine.containers.set(String(name), { health: String(from_boot) }))
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
  fault(
    'hosts.io_errors',
    'A disk answers with input and output errors',
    { host, device: { type: 'string', default: 'sda', description: 'The disk, without `/dev/`' } },
    (world, { host, device }) => {
      const machine = machineOf(world, host)
      const disk = machine.disks.find(({ name }) => name === device)
      if (!disk) throw new Error(`\`${machine.name}\` has no disk \`${String(device)}\``)
      disk.broken = true
      sayKernel(machine, 3, [
        `blk_update_request: I/O error, dev ${disk.name}, sector 7812934 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2`,
        `Buffer I/O error on dev ${disk.name}, logical block 976616, async page read`,
      ])
    },
  ),
  fault(
    'hosts.oom',
    'The kernel has killed a process, because there was no memory left',
    { host },
    (world, { host }) => {
      const machine = machineOf(world, host)
      machine.memory.available = Math.round(machine.memory.total * 0.03)
      sayKernel(machine, 3, [
        'Out of memory: Killed process 3121 (python3) total-vm:9182736kB, anon-rss:7340032kB, file-rss:0kB, shmem-rss:0kB, UID:115 pgtables:15232kB oom_score_adj:0',
      ])
    },
  ),
  fault(
    'hosts.clock_offset',
    'The clock of a host is wrong',
    {
      host,
      seconds: { type: 'number', default: 2.5, description: 'How far it is ahead; negative when it is behind' },
      from_boot: fromBoot,
    },
    (world, { host, seconds, from_boot }) => {
      const machine = machineOf(world, host)
      const turn = () => {
        machine.clockOffset = Number(seconds)
      }
      if (from_boot === true) machine.power.onBoot(turn)
      else turn()
    },
  ),
  fault('hosts.rebooted', 'A host has just rebooted by itself', { host }, (world, { host }) => {
    machineOf(world, host).power.reboot({ stopsIn: 0, offFor: 0 })
  }),
  fault(
    'hosts.reboot_refused',
    'A host takes commands to reboot or to switch off, says nothing, and stays up',
    { host, times: { type: 'integer', minimum: 0, default: 0, description: 'How many commands; 0 is all of them' } },
    (world, { host, times }) => {
      machineOf(world, host).power.habits.refuses = Number(times) || Number.POSITIVE_INFINITY
    },
  ),
  fault(
    'hosts.slow_boot',
    'A host takes long from its last process until its operating system runs again',
    { host, minutes: { type: 'number', minimum: 0, default: 15, description: 'How long, in minutes' } },
    (world, { host, minutes }) => {
      machineOf(world, host).power.habits.offFor = Number(minutes) * 60_000
    },
  ),
  fault('hosts.never_back', 'A host that reboots does not come back', { host }, (world, { host }) => {
    machineOf(world, host).power.habits.returns = false
  }),
  fault(
    'hosts.hangs_in_reboot',
    'A host that reboots hangs on its way up until its power is cut by its management board',
    { host },
    (world, { host }) => {
      machineOf(world, host).power.habits.hangs = true
    },
  ),
  fault(
    'hosts.another_answers',
    'Once a host has been rebooted another machine answers at its address, which has been up for long',
    { host, days: { type: 'number', minimum: 0, default: 20, description: 'For how many days' } },
    (world, { host, days }) => {
      const { power, clock } = machineOf(world, host)
      power.onBoot(() => void Object.assign(power.boot(), { at: clock.now() - Number(days) * 86_400_000 }))
    },
  ),
  fault(
    'hosts.high_load',
    'A host has more to do than it can',
    { host, load: { type: 'number', default: 90, minimum: 0, description: 'The load averages' } },
    (world, { host, load }) => {
      const machine = machineOf(world, host)
      machine.load = [Number(load), Number(load) * 0.97, Number(load) * 0.9]
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
      if (from_boot === true) machine.power.onBoot(lose)
      else lose()
    },
  ),
]

function mountOn(machine: ReturnType<typeof machineOf>, at: string) {
  const found = machine.mounts.find((mount) => mount.at === at)
  if (found) return found
  throw new Error(`\`${machine.name}\` has nothing mounted at \`${at}\``)
}

function unitOn(machine: ReturnType<typeof machineOf>, name: unknown) {
  const found = machine.units.find(String(name))
  if (found) return found
  throw new Error(`\`${machine.name}\` has no unit \`${String(name)}\``)
}

function nicOn(machine: ReturnType<typeof machineOf>, name: unknown) {
  const found = machine.nics.find((nic) => nic.name === name)
  if (found) return found
  throw new Error(`\`${machine.name}\` has no interface \`${String(name)}\``)
}

/** `/proc/net/bonding/NAME`, as the driver of Linux 6.1 writes it. */
function bonding({ nics, kernel }: ReturnType<typeof machineOf>, members: readonly string[]): string {
  const head = `Ethernet Channel Bonding Driver: v${kernel}\n\nBonding Mode: IEEE 802.3ad Dynamic link aggregation\nTransmit Hash Policy: layer3+4 (1)\nMII Status: up\nMII Polling Interval (ms): 100\nUp Delay (ms): 0\nDown Delay (ms): 0\nPeer Notification Delay (ms): 0\n`
  const each = nics
    .filter(({ name }) => members.includes(name))
    .map(({ name, up, speed, mac }) => {
      const link = up ? `${speed} Mbps\nDuplex: full` : 'Unknown\nDuplex: Unknown'
      return `\nSlave Interface: ${name}\nMII Status: ${up ? 'up' : 'down'}\nSpeed: ${link}\nLink Failure Count: 0\nPermanent HW addr: ${mac}\nSlave queue ID: 0\n`
    })
  return `${head}${each.join('')}`
}
