import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Topology } from '../topology.ts'
import type { Machines } from '../world.ts'
import { type Alertmanager, createAlertmanager } from './alertmanager/model.ts'
import { createCephadm } from './ceph/cephadm.ts'
import { type Ceph, createCeph } from './ceph/model.ts'
import { layOut } from './ceph/occupy.ts'
import { cephUnits } from './ceph/units.ts'
import { sayBooted } from './commands/journal.ts'
import { installPrograms } from './commands/programs.ts'
import { furnish } from './furnish.ts'
import { mariadbUnit, readFiles, readSettings } from './galera/mariadbd.ts'
import { createGalera, type Galera } from './galera/model.ts'
import { configurationOf } from './haproxy/configuration.ts'
import { createHaproxy, type Haproxy } from './haproxy/model.ts'
import { hostsOf, unitsOf } from './layout.ts'
import { createMachine, type Machine } from './machine/machine.ts'
import { mountProc, showUnitsInProc } from './machine/proc.ts'
import { createRabbit, type Rabbit } from './rabbitmq/model.ts'
import type { Reach } from './server.ts'
import { noWiring, type Wiring } from './wiring.ts'

/** A virtual machine as libvirt on its host knows it. */
export interface Guest {
  readonly uuid: string
  /** `instance-0000002a`. */
  readonly name: string
  readonly running: boolean
  /** It stands still, in the memory of the host. */
  readonly paused: boolean
}

/** All simulated hosts, and the clusters they form. */
export interface HostEstate extends Machines {
  readonly topology: Topology
  readonly machines: ReadonlyMap<string, Machine>
  readonly ceph: Ceph
  readonly galera: Galera
  readonly rabbit: Rabbit
  readonly alertmanager: Alertmanager
  /** One on each controller. */
  readonly haproxies: ReadonlyMap<string, Haproxy>
  /** How a host answers the network when it is on; `answers` unless a fault says otherwise. */
  readonly reach: Map<string, Reach>
  /** The servers on a compute host; the cloud says, and there are none until it does. */
  guests: (host: string) => readonly Guest[]
  /** The virtual network of a host; the cloud says, and there is none until it does. */
  wiring: (host: string) => Wiring
  /** Called whenever a unit, a machine's power or its reach changes. */
  onChange(happens: () => void): void
  changed(): void
}

export function createEstate(topology: Topology, clock: Clock, random: Random): HostEstate {
  const machines = new Map<string, Machine>()
  const machine = (name: string) => machines.get(name)
  const now = () => clock.now()
  const listeners: (() => void)[] = []
  const plans = hostsOf(topology)
  const osdsOn = (name: string): number[] => {
    const at = topology.ceph.indexOf(name)
    return at === -1
      ? []
      : Array.from({ length: topology.osds_per_host }, (_, slot) => at * topology.osds_per_host + slot)
  }
  const galera = createGalera(topology.databases, machine, now)
  let ready = false
  const changed = () => {
    if (!ready) return
    estate.ceph.settle()
    estate.galera.look()
    for (const each of machines.values()) showUnitsInProc(each)
    for (const happens of listeners) happens()
  }

  for (const plan of plans) {
    const { name, role } = plan
    const own =
      role === 'ceph'
        ? cephUnits(name, topology.ceph.indexOf(name) < 3, osdsOn(name), topology.cephadm)
        : role === 'database'
          ? [
              mariadbUnit({
                node: () => galera.nodes.get(name),
                machine: () => machine(name),
                started: () => databaseStarted(name),
                others: () => topology.databases.filter((other) => other !== name && galera.view(other).state === 4),
                fell: (other) => machine(other)?.units.fail('mariadb'),
                cluster: () => galera,
              }),
            ]
          : []
    const made = createMachine({
      ...plan,
      units: [...unitsOf(role), ...own],
      clock,
      random,
      bootedAt: now() - random.between(20, 90) * 86_400_000 - random.between(0, 80_000) * 1000,
      changed,
    })
    machines.set(name, made)
    furnish(made, osdsOn(name), random, topology.cephadm)
    mountProc(made)
  }

  const { controllers, computes, databases } = topology
  const estate: HostEstate = {
    topology,
    machines,
    ceph: createCeph({
      hosts: topology.ceph,
      osdsPerHost: topology.osds_per_host,
      cephadm: topology.cephadm,
      machine,
      now,
    }),
    galera,
    rabbit: createRabbit({ controllers, computes, machine }),
    alertmanager: createAlertmanager({ controllers, machine, random, now }),
    haproxies: new Map(
      controllers.map((name) => [name, createHaproxy({ controllers, databases, galera, machine, now })]),
    ),
    reach: new Map(),
    guests: () => [],
    wiring: () => noWiring,
    onChange: (happens) => void listeners.push(happens),
    changed,
    unit: (host, name) => unitState(machine(host), name),
  }
  if (topology.cephadm) estate.ceph.cephadm = createCephadm(estate.ceph)
  function databaseStarted(name: string): void {
    const [node, host] = [estate.galera.nodes.get(name), machine(name)]
    if (node && host) readSettings(node, host)
  }

  const hosts = plans.map(({ name, address }) => `${address}\t${name}\n`).join('')
  for (const made of machines.values()) {
    made.files.write('/etc/hosts', `127.0.0.1\tlocalhost\n${hosts}`)
    installPrograms(made, estate)
    sayBooted(made)
    made.power.onBoot(() => sayBooted(made))
  }
  for (const [name, haproxy] of estate.haproxies) {
    machine(name)?.files.folder('/etc/haproxy', { parents: true })
    machine(name)?.files.write(
      '/etc/haproxy/haproxy.cfg',
      configurationOf(haproxy, (host) => machine(host)?.address ?? host),
    )
  }
  for (const osd of estate.ceph.osds.values()) {
    const { id, host } = osd
    const at = machine(host)
    const folder = estate.ceph.folderOf(id)
    const owner = () => estate.ceph.foldersOf.get(id) ?? id
    at?.files.provide(`${folder}/fsid`, () => `${estate.ceph.osds.get(owner())?.uuid}\n`)
    at?.files.provide(`${folder}/whoami`, () => `${owner()}\n`)
    const disk = at?.disks.find(({ name }) => name === osd.disk)
    if (at && disk) layOut(at, estate.ceph, osd, disk)
  }
  // people reach the database through the proxy of the first controller that has one
  galera.route = () => {
    const at = controllers.find((name) => machine(name)?.units.find('haproxy')?.active === 'active')
    return at === undefined ? undefined : estate.haproxies.get(at)?.sendsTo('galera')
  }
  for (const [name, node] of galera.nodes) {
    const host = machine(name)
    if (!host) continue
    readFiles(node, host, host.units.find('mariadb'))
    // next to all that is on its file system
    const used = host.mounts.find(({ at }) => at === '/var/lib/mysql')?.used ?? 0
    host.files.provide('/var/lib/mysql/ibdata1', () => '', {
      modifiedAt: () => galera.writtenAt(name),
      size: Math.round(used * 0.99) * 1024,
    })
    // where a node that runs is, only its process knows
    host.files.provide('/var/lib/mysql/grastate.dat', () => {
      const uuid = node.stateLost ? '00000000-0000-0000-0000-000000000000' : galera.clusterUuid
      return `# GALERA saved state\nversion: 2.1\nuuid:    ${uuid}\nseqno:   -1\nsafe_to_bootstrap: 0\n`
    })
  }
  ready = true
  changed()
  return estate
}

function unitState(machine: Machine | undefined, name: string): ReturnType<Machines['unit']> {
  const unit = machine?.units.find(name)
  if (!machine || !unit) return undefined
  const { stoppedAt, since, startedAt } = unit
  const running = machine.power.state() !== 'off' && unit.active === 'active'
  return {
    running,
    since: running ? (startedAt ?? since) : (stoppedAt ?? since),
    ...(stoppedAt !== undefined && { stoppedAt }),
  }
}
