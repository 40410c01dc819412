import type { Fault } from '../../fault.ts'
import { type FieldSchema, takes } from '../../parameters.ts'
import type { World } from '../../world.ts'
import type { Machine } from '../machine/machine.ts'

export type Param = FieldSchema

/** A fault whose parameters are a closed object: those without a default are required. */
export function fault(
  name: Fault['name'],
  summary: string,
  properties: Readonly<Record<string, Param>>,
  apply: Fault['apply'],
): Fault {
  return { name, summary, params: takes(properties), apply }
}

export const host: Param = { type: 'string', description: 'The host, by its short name' }

export const fromBoot: Param = {
  type: 'boolean',
  default: false,
  description: 'Only from the next boot of the host on',
}

export const percentage = (description: string, byDefault: number): Param => ({
  type: 'number',
  minimum: 0,
  maximum: 100,
  default: byDefault,
  description,
})

/** The machine a parameter names. @throws when there is none, with the names there are */
export function machineOf({ estate }: World, name: unknown): Machine {
  const machine = estate.machines.get(String(name))
  if (machine) return machine
  throw new Error(
    `no simulated host is called \`${String(name)}\`; there are ${[...estate.machines.keys()].join(', ')}`,
  )
}

/** Makes a change, or has the next boot make it. */
export function nowOrFromBoot({ power }: Machine, fromBoot: unknown, change: () => void): void {
  if (fromBoot === true) power.onBoot(change)
  else change()
}

export function sayKernel(machine: Machine, priority: number, messages: readonly string[]): void {
  for (const [index, message] of messages.entries()) {
    const at = machine.now() - 30_000 + index * 40
    machine.kernelLog.add({ at, priority, message, identifier: 'kernel', bootId: machine.power.boot().id })
  }
}
