import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { Topology } from '../topology.ts'
import type { Machines } from '../world.ts'
import { sayBooted } from './commands/journal.ts'
import { installPrograms } from './commands/programs.ts'
import { furnish, hostsOf, unitsOf } from './layout.ts'
import { createMachine, type Machine } from './machine/machine.ts'
import { mountProc, showUnitsInProc } from './machine/proc.ts'
import type { Reach } from './server.ts'

/** A virtual machine as libvirt on its host knows it. */
export interface Guest {
  readonly uuid: string
  /** `instance-0000002a`. */
  readonly name: string
  readonly running: boolean
}

/** All simulated hosts, and the clusters they form. */
export interface HostEstate extends Machines {
  readonly topology: Topology
  readonly machines: ReadonlyMap<string, Machine>
  /** How a host answers the network when it is on; `answers` unless a fault says otherwise. */
  readonly reach: Map<string, Reach>
  /** The servers on a compute host; the cloud says, and there are none until it does. */
  guests: (host: string) => readonly Guest[]
  /** Called whenever a unit, a machine's power or its reach changes. */
  onChange(happens: () => void): void
  changed(): void
}

export function createEstate(topology: Topology, clock: Clock, random: Random): HostEstate {
  const machines = new Map<string, Machine>()
  const listeners: (() => void)[] = []
  const estate: HostEstate = {
    topology,
    machines,
    reach: new Map(),
    guests: () => [],
    onChange: (happens) => void listeners.push(happens),
    changed() {
      for (const machine of machines.values()) showUnitsInProc(machine)
      for (const happens of listeners) happens()
    },
    unit(host, name) {
      const machine = machines.get(host)
      const unit = machine?.units.find(name)
      if (!machine || !unit) return undefined
      const { stoppedAt, since, startedAt } = unit
      const running = machine.power.state() !== 'off' && unit.active === 'active'
      return {
        running,
        since: running ? (startedAt ?? since) : (stoppedAt ?? since),
        ...(stoppedAt !== undefined && { stoppedAt }),
      }
    },
  }
  for (const plan of hostsOf(topology)) {
    const machine = createMachine({
      ...plan,
      units: unitsOf(plan.role),
      clock,
      random,
      bootedAt: clock.now() - random.between(20, 90) * 86_400_000 - random.between(0, 80_000) * 1000,
      changed: () => estate.changed(),
    })
    machines.set(plan.name, machine)
    furnish(machine, [], random)
    mountProc(machine)
    installPrograms(machine, estate)
    sayBooted(machine)
    machine.power.onBoot(() => sayBooted(machine))
  }
  estate.changed()
  return estate
}
