import type { Random } from '../random.ts'
import type { Topology } from '../topology.ts'
import { defaultMaxConnections } from './galera/options.ts'
import type { Disk, Machine, Role } from './machine/machine.ts'
import { kernelRelease } from './machine/proc.ts'
import type { UnitKind } from './machine/units.ts'

/** One host to be made. */
export interface HostPlan {
  readonly name: string
  readonly role: Role
  readonly address: string
  readonly cpus: number
  /** KiB. */
  readonly memory: number
}

const networks: Readonly<Record<Role, number>> = { controller: 10, compute: 20, ceph: 30, database: 40 }
const sizes: Readonly<Record<Role, { cpus: number; gib: number }>> = {
  controller: { cpus: 8, gib: 32 },
  compute: { cpus: 32, gib: 128 },
  ceph: { cpus: 16, gib: 64 },
  database: { cpus: 8, gib: 32 },
}

export function hostsOf({ controllers, computes, ceph, databases }: Topology): HostPlan[] {
  const plan = (names: readonly string[], role: Role): HostPlan[] =>
    names.map((name, index) => ({
      name,
      role,
      address: `10.77.0.${networks[role] + index + 1}`,
      cpus: sizes[role].cpus,
      memory: sizes[role].gib * 1_048_576 - 612_000,
    }))
  return [
    ...plan(controllers, 'controller'),
    ...plan(computes, 'compute'),
    ...plan(ceph, 'ceph'),
    ...plan(databases, 'database'),
  ]
}

const unit = (name: string, description: string, command: string, more: Partial<UnitKind> = {}): UnitKind => ({
  name: `${name}.service`,
  description,
  command,
  ...more,
})
const python = (name: string, description: string, user: string, more: Partial<UnitKind> = {}) =>
  unit(name, description, `/usr/bin/python3 /usr/bin/${name} --config-file=/etc/${user}/${user}.conf`, {
    user,
    startsIn: 2_500,
    restarts: true,
    ...more,
  })

const everywhere: readonly UnitKind[] = [
  unit('ssh', 'OpenBSD Secure Shell server', '/usr/sbin/sshd -D'),
  unit('systemd-journald', 'Journal Service', '/lib/systemd/systemd-journald', { restarts: true }),
  unit('systemd-udevd', 'Rule-based Manager for Device Events and Files', '/lib/systemd/systemd-udevd'),
  unit('systemd-logind', 'User Login Management', '/lib/systemd/systemd-logind'),
  unit('dbus', 'D-Bus System Message Bus', '/usr/bin/dbus-daemon --system'),
  unit('cron', 'Regular background program processing daemon', '/usr/sbin/cron -f'),
  unit('chrony', 'chrony, an NTP client/server', '/usr/sbin/chronyd -F 1', { user: '_chrony' }),
  unit('networking', 'Raise network interfaces', '/sbin/ifup -a', { oneshot: true }),
]

const neutronAgents = [
  python('neutron-openvswitch-agent', 'Openstack Neutron Open vSwitch Agent', 'neutron'),
  unit('openvswitch-switch', 'Open vSwitch', '/bin/true', { oneshot: true }),
  // the other ways to wire ports: there, and not used unless the cloud is built so
  python('neutron-linuxbridge-agent', 'Openstack Neutron Linux Bridge agent', 'neutron', { enabled: false }),
  unit('ovn-controller', 'Open Virtual Network host control daemon', '/usr/bin/ovn-controller', { enabled: false }),
]

const byRole: Readonly<Record<Role, readonly UnitKind[]>> = {
  controller: [
    unit('rabbitmq-server', 'RabbitMQ Messaging Server', '/usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w', {
      user: 'rabbitmq',
      startsIn: 6_000,
      openFiles: 65_536,
      restarts: true,
    }),
    unit('haproxy', 'HAProxy Load Balancer', '/usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid'),
    unit('memcached', 'memcached daemon', '/usr/bin/memcached -m 1024 -p 11211 -u memcache -l 0.0.0.0', {
      user: 'memcache',
    }),
    unit('apache2', 'The Apache HTTP Server', '/usr/sbin/apache2 -k start', { startsIn: 1_200 }),
    unit('keystone', 'OpenStack Identity service', '/usr/bin/uwsgi_python3 --ini /etc/keystone/keystone-uwsgi.ini', {
      user: 'keystone',
      startsIn: 2_000,
    }),
    python('glance-api', 'OpenStack Image Service API', 'glance'),
    python('placement-api', 'OpenStack Placement API', 'placement'),
    python('nova-api', 'OpenStack Compute API', 'nova'),
    python('nova-scheduler', 'OpenStack Compute Scheduler', 'nova'),
    python('nova-conductor', 'OpenStack Compute Conductor', 'nova'),
    python('nova-novncproxy', 'OpenStack Compute novncproxy', 'nova'),
    python('neutron-server', 'OpenStack Neutron Server', 'neutron'),
    python('neutron-dhcp-agent', 'OpenStack Neutron DHCP agent', 'neutron'),
    python('neutron-l3-agent', 'OpenStack Neutron L3 agent', 'neutron'),
    python('neutron-metadata-agent', 'OpenStack Neutron metadata agent', 'neutron'),
    ...neutronAgents,
    python('cinder-api', 'OpenStack Cinder Api', 'cinder'),
    python('cinder-scheduler', 'OpenStack Cinder Scheduler', 'cinder'),
    python('cinder-volume', 'OpenStack Cinder Volume', 'cinder'),
  ],
  compute: [
    python('nova-compute', 'OpenStack Compute', 'nova', { startsIn: 4_000 }),
    unit('libvirtd', 'Virtualization daemon', '/usr/sbin/libvirtd --timeout 120', { startsIn: 800, restarts: true }),
    unit('virtlogd', 'Virtual machine log manager', '/usr/sbin/virtlogd'),
    ...neutronAgents,
    unit('ksmtuned', 'Kernel Samepage Merging (KSM) Tuning Daemon', '/bin/bash /usr/sbin/ksmtuned', { enabled: false }),
  ],
  ceph: [],
  database: [],
}

/** The units of a host; those of Ceph and MariaDB come from their own clusters. */
export const unitsOf = (role: Role): UnitKind[] => [...everywhere, ...byRole[role]]

/** Disks, file systems, interfaces and the files an operator would look for. */
export function furnish(machine: Machine, osds: readonly number[], random: Random, cephadm: boolean): void {
  const gib = 1024 ** 3
  const { files, name, role, address, disks, mounts } = machine
  disks.push({
    name: 'sda',
    bytes: 480_103_981_056,
    serial: `S4CNNE0M${random.between(100_000, 999_999)}`,
    model: 'SAMSUNG MZ7LH480',
    rotational: false,
    parts: [
      { name: 'sda1', bytes: 476_103_114_752, mount: '/' },
      { name: 'sda2', bytes: 999_292_928, mount: '/boot' },
    ],
    signature: 'ext4',
    broken: false,
  })
  if (role === 'database') disks.push({ ...dataDisk('sdb', random), signature: 'xfs' })
  for (const index of osds.keys()) disks.push(dataDisk(`sd${String.fromCharCode(98 + index)}`, random))
  const root = Math.round((446 * gib) / 1024)
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
    // those that cephadm made are mounted inside of their containers
    ...(cephadm ? [] : osds).map((id) => ({
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
  machine.nics.push(nic('eno1', address, random), nic('eno2', address.replace('.77.', '.78.'), random))
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
  linkDisks(machine)
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

/** `/dev/disk/by-path`: one link for each slot, to the disk that is in it now. */
export function linkDisks({ disks, files }: Machine): void {
  const folder = '/dev/disk/by-path'
  files.folder(folder, { parents: true })
  for (const [slot, { name, parts }] of disks.entries()) {
    const link = `${folder}/${slotOf(slot)}`
    if (files.find(link, { follow: false })) files.remove(link)
    files.link(link, `../../${name}`)
    for (const device of [name, ...parts.map((part) => part.name)]) {
      if (!files.find(`/dev/${device}`)) files.write(`/dev/${device}`, '')
    }
  }
}

/** What udev calls the place of a disk. */
export const slotOf = (slot: number): string => `pci-0000:3b:00.0-sas-phy${slot}-lun-0`

export const dataDisk = (name: string, random: Random): Disk => ({
  name,
  bytes: 4_000_787_030_016,
  serial: `ZC1${random.between(10_000, 99_999)}`,
  model: 'ST4000NM000A-2HZ100',
  rotational: true,
  parts: [],
  signature: 'ceph_bluestore',
  broken: false,
})

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
