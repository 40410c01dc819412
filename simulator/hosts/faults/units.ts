import type { Fault } from '../../fault.ts'
import { dockerProgram } from '../commands/docker.ts'
import type { Machine } from '../machine/machine.ts'
import { fault, fromBoot, host, machineOf, type Param } from './fault.ts'

const unit: Param = { type: 'string', description: 'The unit, with or without `.service`' }

const health = (description: string, byDefault: string): Param => ({
  type: 'string',
  enum: ['healthy', 'unhealthy', 'health: starting', 'gone'],
  default: byDefault,
  description,
})

/** What can be wrong with what a host runs: its units and containers. */
export const unitFaults: Fault[] = [
  fault(
    'hosts.unit_failed',
    'A systemd unit has failed, and stays so until somebody starts it',
    { host, unit, from_boot: fromBoot },
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
    { host, unit },
    (world, { host, unit }) => {
      unitOn(machineOf(world, host), unit).enabled = false
    },
  ),
  fault(
    'hosts.unit_slow',
    'A unit takes long to start, from its next start on',
    {
      host,
      unit,
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
      unit,
      minutes: { type: 'number', minimum: 0, default: 6, description: 'How long, in minutes' },
    },
    (world, { host, unit, minutes }) => {
      const machine = machineOf(world, host)
      machine.units.delayStop(unitOn(machine, unit).name, Number(minutes) * 60_000)
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
]

function unitOn(machine: Machine, name: unknown) {
  const found = machine.units.find(String(name))
  if (found) return found
  throw new Error(`\`${machine.name}\` has no unit \`${String(name)}\``)
}
