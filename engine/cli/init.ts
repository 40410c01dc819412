import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { exitCode, RunbookError } from '../error.ts'
import { isFile, packageRoot } from '../host/files.ts'
import type { Io } from './io.ts'

/** `runbook init`: a small runbook that runs, and that an editor completes. */
export async function init(file: string | undefined, io: Io): Promise<number> {
  const path = resolve(io.cwd, file ?? 'first.yaml')
  if (isFile(path))
    throw new RunbookError('file_exists', `\`${path}\` is there already`, {
      hint: 'give another name: `runbook init second.yaml`',
    })
  const name = basename(path)
    .replace(/\.ya?ml$/, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
  const template = readFileSync(join(packageRoot(), 'docs', 'first.yaml'), 'utf8')
  const schema = join(packageRoot(), 'schemas', 'runbook.schema.json')
  writeFileSync(
    path,
    template.replace(/\$schema=\S+/, `$schema=${schema}`).replace(/^name: .*$/m, `name: ${name || 'first'}`),
    { flag: 'wx' },
  )
  io.stdout.write(`wrote ${path}\n\n  runbook check ${file ?? 'first.yaml'}\n  runbook exec ${file ?? 'first.yaml'}\n`)
  return exitCode.done
}
