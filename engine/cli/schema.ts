import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { didYouMean } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import { isFile, namesIn, packageRoot } from '../host/files.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { loadRegistry } from './registry.ts'
import { runbookSchema } from './runbook-schema.ts'

/** `runbook schema`: the schema of runbooks knows the actions of the plugins that are configured here. */
export async function schema(name: string | undefined, io: Io): Promise<number> {
  const folder = join(packageRoot(), 'schemas')
  const wanted = name ?? 'runbook'
  const path = join(folder, `${wanted}.schema.json`)
  if (wanted === 'runbook')
    io.stdout.write(`${JSON.stringify(runbookSchema(await loadRegistry(configOf(io).plugins)), null, 2)}\n`)
  else if (isFile(path)) io.stdout.write(readFileSync(path, 'utf8'))
  else {
    const names = namesIn(folder).map((file) => file.replace('.schema.json', ''))
    throw new RunbookError('no_schema', `there is no schema \`${wanted}\``, {
      hint: didYouMean(wanted, names) ?? `there are: ${names.join(', ')}`,
    })
  }
  return exitCode.done
}
