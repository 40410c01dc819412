import type { HostEstate } from '../estate.ts'
import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { filePrograms } from './files.ts'
import { launcherPrograms } from './launchers.ts'
import { systemPrograms } from './system.ts'
import { toolPrograms } from './toolbox.ts'

/** Installs what a machine of its role can run; what is not here is `command not found`. */
export function installPrograms(machine: Machine, _estate: HostEstate): void {
  const families: [string, Program][][] = [
    toolPrograms(machine),
    filePrograms(machine),
    launcherPrograms(machine),
    systemPrograms(machine),
  ]
  for (const [name, program] of families.flat()) machine.programs.set(name, program)
}
