import type { HostEstate } from '../estate.ts'
import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { chronycProgram } from './chrony.ts'
import { filePrograms } from './files.ts'
import { journalPrograms } from './journal.ts'
import { launcherPrograms } from './launchers.ts'
import { networkPrograms } from './network.ts'
import { storagePrograms } from './storage.ts'
import { systemPrograms } from './system.ts'
import { systemctlProgram } from './systemctl.ts'
import { toolPrograms } from './toolbox.ts'

/** Installs what a machine of its role can run; what is not here is `command not found`. */
export function installPrograms(machine: Machine, estate: HostEstate): void {
  const families: [string, Program][][] = [
    toolPrograms(machine),
    filePrograms(machine),
    launcherPrograms(machine),
    systemPrograms(machine),
    journalPrograms(machine),
    networkPrograms(machine, (target) => isUp(estate, target)),
    storagePrograms(machine),
    [
      ['chronyc', chronycProgram(machine)],
      ['systemctl', systemctlProgram(machine)],
    ],
  ]
  for (const [name, program] of families.flat()) machine.programs.set(name, program)
}

function isUp({ machines }: HostEstate, target: string): boolean {
  const found = [...machines.values()].find(({ name, address }) => name === target || address === target)
  return found !== undefined && found.power.state() !== 'off'
}
