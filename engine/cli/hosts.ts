import { resolve } from 'node:path'
import { printable } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import { hostsOf } from '../inventory/inventory.ts'
import { configOf, needed } from './config.ts'
import type { Io } from './io.ts'
import { loadInventory } from './prepare.ts'

/** `runbook hosts`: what a pattern comes to. */
export async function hosts(pattern: string, options: { readonly inventory?: string }, io: Io): Promise<number> {
  const path = needed(
    options.inventory ?? configOf(io).inventory,
    'no inventory is given',
    'add `--inventory FILE`, or name one in runbook.config.yaml',
  )
  const found = hostsOf(loadInventory(resolve(io.cwd, path))).matching(pattern)
  if (found.length === 0)
    throw new RunbookError('no_hosts', `\`${pattern}\` names no host`, { exitCode: exitCode.failed })
  for (const { name, address, groups } of found)
    io.stdout.write(`${printable(`${name}  ${address}  ${groups.join(', ')}`.trimEnd())}\n`)
  return exitCode.done
}
