import type { Random } from '../random.ts'
import { dataDisk, linkDisks } from './disks.ts'
import { defaultMaxConnections } from './galera/options.ts'
import type { Machine } from './machine/machine.ts'
import { kernelRelease } from './machine/proc.ts'

/** Disks, file systems, interfaces and the files an operator would look for. */
export function furnish(machine: Machine, osds: readonly number[], random: Random, cephadm: boolean): void {
  const { address } = machine
  addDisks(machine, osds.length, random)
  // those that cephadm made are mounted inside of their containers
  addMounts(machine, cephadm ? [] : osds, random)
  machine.nics.push(nic('eno1', address, random), nic('eno2', address.replace('.77.', '.78.'), random))
  writeFiles(machine, random)
  linkDisks(machine)
}

function addDisks({ disks, role }: Machine, osds: number, random: Random): void {
  disks.push({
    name: 'sda',
    slot: 0,
    bytes: 480_103_981_056,
    serial: `S4CNNE0M${random.between(100_000, 999_999)}`,
    model: 'SAMSUNG MZ7LH480',
    rotational: false,
    parts: [
      { name: 'sda1', bytes: 476_103_114_752 },
      { name: 'sda2', bytes: 999_292_928 },
    ],
    signature: 'gpt',
    broken: false,
  })
  if (role === 'database') {
    const disk = dataDisk('sdb', 1, random)
    disks.push({ ...disk, parts: [{ name: 'sdb1', bytes: disk.bytes - 2_097_152 }], signature: 'gpt' })
  }
  for (let index = 0; index < osds; index += 1)
    disks.push(dataDisk(`sd${String.fromCharCode(98 + index)}`, index + 1, random))
}

function addMounts({ mounts, role }: Machine, osds: readonly number[], random: Random): void {
  const root = 446 * 1024 ** 2
  mounts.push(
    {
      device: 'udev',
      at: '/dev',
      type: 'devtmpfs',
      options: 'rw,nosuid,relatime',
      size: 16_384_000,
      used: 0,
      inodes: 4_096_000,
      inodesUsed: 520,
    },
    {
      device: 'tmpfs',
      at: '/run',
      type: 'tmpfs',
      options: 'rw,nosuid,nodev,noexec,relatime',
      size: 3_289_212,
      used: 1_604,
      inodes: 4_111_000,
      inodesUsed: 840,
    },
    {
      device: '/dev/sda1',
      at: '/',
      type: 'ext4',
      options: 'rw,relatime,errors=remount-ro',
      size: root,
      used: Math.round(root * (0.12 + random.next() * 0.18)),
      inodes: 29_245_440,
      inodesUsed: random.between(190_000, 420_000),
    },
    {
      device: '/dev/sda2',
      at: '/boot',
      type: 'ext4',
      options: 'rw,relatime',
      size: 960_000,
      used: 182_000,
      inodes: 61_056,
      inodesUsed: 352,
    },
    ...(role === 'database'
      ? [
          {
            device: '/dev/sdb1',
            at: '/var/lib/mysql',
            type: 'xfs',
            options: 'rw,relatime',
            size: root,
            used: Math.round(root * 0.22),
            inodes: 233_000_000,
            inodesUsed: 3_100,
          },
        ]
      : []),
    ...osds.map((id) => ({
      device: 'tmpfs',
      at: `/var/lib/ceph/osd/ceph-${id}`,
      type: 'tmpfs',
      options: 'rw,relatime',
      size: 33_500_000,
      used: 28,
      inodes: 8_000_000,
      inodesUsed: 9,
    })),
  )
}

function writeFiles(machine: Machine, random: Random): void {
  const { files, name, role, address } = machine
  for (const folder of [
    '/root',
    '/home/ops',
    '/tmp',
    '/var/tmp',
    '/var/log',
    '/etc/systemd/system',
    '/run',
    '/boot',
    '/dev',
    '/usr/local/bin',
    '/var/lib',
    '/mnt',
    '/opt',
    '/srv',
    '/dev/shm',
  ]) {
    files.folder(folder, { parents: true })
  }
  files.chown('/home/ops', 'ops', 'ops')
  files.chmod('/tmp', 0o1777)
  files.write('/dev/null', '')
  files.write('/etc/hostname', `${name}\n`)
  files.write('/etc/hosts', `127.0.0.1\tlocalhost\n${address}\t${name}\n`)
  files.write('/etc/debian_version', '12.11\n')
  files.write(
    '/etc/os-release',
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n',
  )
  files.write('/etc/machine-id', `${random.uuid().replaceAll('-', '')}\n`)
  files.write('/etc/fstab', '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sda2 /boot ext4 defaults 0 2\n')
  files.write('/etc/passwd', 'root:x:0:0:root:/root:/bin/bash\nops:x:1000:1000::/home/ops:/bin/bash\n')
  files.write('/etc/shadow', 'root:*:19700:0:99999:7:::\n', { mode: 0o640 })
  installKernel(machine, kernelRelease, [kernelRelease])
  files.folder('/etc/chrony')
  files.write(
    '/etc/chrony/chrony.conf',
    'server ntp1.rehearsal iburst\nserver ntp2.rehearsal iburst\nmakestep 1 3\nrtcsync\n',
  )
  if (role === 'controller') {
    // the password of the management boards
    files.write('/root/ipmi', 'rehearsal\n', { mode: 0o600 })
  }
  if (role === 'database') {
    files.folder('/etc/mysql/conf.d', { parents: true })
    files.folder('/etc/mysql/mariadb.conf.d', { parents: true })
    files.folder('/var/lib/mysql', { parents: true })
    files.write('/etc/mysql/mariadb.conf.d/60-galera.cnf', galeraConfiguration(name, address))
  }
  files.write('/etc/resolv.conf', 'nameserver 10.77.0.2\n')
}

const galeraConfiguration = (name: string, address: string) => `[mysqld]
bind-address = 0.0.0.0
max_connections = ${defaultMaxConnections}
innodb_buffer_pool_size = 1G

[galera]
wsrep_on = ON
wsrep_provider = /usr/lib/galera/libgalera_smm.so
wsrep_cluster_name = openstack
wsrep_node_name = ${name}
wsrep_node_address = ${address}
wsrep_sst_method = mariabackup
`

/** A kernel with its first file system, and the menu of the boot loader as `update-grub` writes it, /boot being its root. */
export function installKernel({ files }: Pick<Machine, 'files'>, release: string, menu: readonly string[]): void {
  files.write(`/boot/vmlinuz-${release}`, '')
  files.write(`/boot/initrd.img-${release}`, '')
  files.folder('/boot/grub', { parents: true })
  const entries = menu.map(
    (each) =>
      `menuentry 'Debian GNU/Linux, with Linux ${each}' --class debian --class gnu-linux --class gnu --class os {\n\tload_video\n\tinsmod gzio\n\tinsmod part_gpt\n\tinsmod ext2\n\techo\t'Loading Linux ${each} ...'\n\tlinux\t/vmlinuz-${each} root=/dev/sda1 ro  quiet\n\techo\t'Loading initial ramdisk ...'\n\tinitrd\t/initrd.img-${each}\n}\n`,
  )
  files.write('/boot/grub/grub.cfg', `set default="0"\n\n${entries.join('')}`)
}

const nic = (name: string, address: string, random: Random) => ({
  name,
  mac: `3c:ec:ef:${[1, 2, 3].map(() => random.between(16, 255).toString(16)).join(':')}`,
  address,
  prefix: 24,
  speed: 10_000,
  up: true,
  rxErrors: 0,
  txErrors: 0,
})
