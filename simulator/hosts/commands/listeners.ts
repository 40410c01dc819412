import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'

const ports: Readonly<Record<string, number>> = {
  'ssh.service': 22,
  'rabbitmq-server.service': 5672,
  'memcached.service': 11_211,
  'mariadb.service': 3306,
  'apache2.service': 80,
  'keystone.service': 5000,
  'nova-api.service': 8774,
  'neutron-server.service': 9696,
  'glance-api.service': 9292,
  'libvirtd.service': 16_509,
}

/** `ss` as iproute2 6.1 prints: what listens, and with `established` what talks to RabbitMQ. */
export function ss(machine: Machine, me: Process, args: readonly string[]): number {
  const processes = args.some((arg) => /^-\w*p/.test(arg))
  if (args.includes('established')) return established(machine, me, args)
  me.out('State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n')
  for (const unit of machine.units.list()) {
    const port = ports[unit.name]
    if (port === undefined || unit.active !== 'active') continue
    const name = (unit.kind.command.split(' ')[0] ?? '').replace(/^.*\//, '')
    const who = processes ? `users:(("${name}",pid=${unit.mainPid},fd=3))` : ''
    me.out(
      `${'LISTEN'.padEnd(6)} ${'0'.padEnd(6)} ${'128'.padEnd(6)} ${`0.0.0.0:${port}`.padStart(18)} ${'0.0.0.0:*'.padStart(17)} ${who}\n`,
    )
  }
  return 0
}

/** What talks to RabbitMQ over the network: each agent of OpenStack keeps a connection for as long as it runs. */
function established(machine: Machine, me: Process, args: readonly string[]): number {
  if (!args.some((arg) => /^-\w*H/.test(arg))) me.out('Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n')
  const processes = args.some((arg) => /^-\w*p/.test(arg))
  for (const { active, name, mainPid } of machine.units.list()) {
    if (active !== 'active' || !/^(nova|neutron|cinder)-/.test(name) || machine.unconnected(name)) continue
    const local = `${machine.address}:${32_768 + (mainPid % 28_000)}`
    // of a script the kernel knows the name of its file, whatever runs it
    const who = processes ? `users:(("${name.replace('.service', '').slice(0, 15)}",pid=${mainPid},fd=8))` : ''
    me.out(`0      0      ${local.padStart(21)} ${'10.77.0.11:5672'.padStart(21)} ${who}\n`)
  }
  return 0
}
