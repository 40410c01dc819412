import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { codes } from '../codes.ts'
import { didYouMean } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import { packageRoot } from '../host/files.ts'
import type { Io } from './io.ts'

/** `runbook explain`: the page of a problem. */
export async function explain(code: string, io: Io): Promise<number> {
  const wanted = code.toUpperCase()
  if (!Object.hasOwn(codes, wanted))
    throw new RunbookError('no_code', `there is no problem \`${code}\``, {
      hint: didYouMean(wanted, Object.keys(codes)) ?? 'codes look like RB2001',
    })
  io.stdout.write(readFileSync(join(packageRoot(), 'docs', 'codes', `${wanted}.md`), 'utf8'))
  return exitCode.done
}
