import type { Topology } from '../topology.ts'
import type { Role } from './machine/machine.ts'
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
