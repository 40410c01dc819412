import type { Fault } from '../../fault.ts'
import { installKernel } from '../furnish.ts'
import { fault, host, machineOf } from './fault.ts'

/** What can happen when a host reboots. */
export const bootFaults: Fault[] = [
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
]
