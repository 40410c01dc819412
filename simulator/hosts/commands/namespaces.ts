import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'

const entered = new WeakMap<Process, string>()

/** From here on the process lives in a network namespace. */
export const enterNamespace = (me: Process, name: string): void => void entered.set(me, name)

/** The network namespace of a process: its own, or that of whoever started it; none for the host's. */
export function namespaceOf(machine: Machine, me: Process): string | undefined {
  for (let each: Process | undefined = me; each; each = machine.processes.find(each.ppid)) {
    const name = entered.get(each)
    if (name !== undefined) return name
  }
  return undefined
}
