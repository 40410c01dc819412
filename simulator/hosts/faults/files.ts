import type { Fault } from '../../fault.ts'
import type { Machine } from '../machine/machine.ts'
import { fault, host, machineOf, type Param, percentage } from './fault.ts'

const afterBoot: Param = {
  type: 'string',
  enum: ['there', 'gone'],
  default: 'there',
  description: 'Whether it is there from the next boot of the host on',
}

/** What can be wrong with the files and file systems of a host. */
export const fileFaults: Fault[] = [
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
]

function mountOn(machine: Machine, at: string) {
  const found = machine.mounts.find((mount) => mount.at === at)
  if (found) return found
  throw new Error(`\`${machine.name}\` has nothing mounted at \`${at}\``)
}
