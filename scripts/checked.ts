import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative, resolve } from 'node:path'
import type { Kept } from '../engine/host/kept-answers.ts'

/**
 * Checks the runbooks that ship with the program that was just built. What each check without problems rests on is put
 * beside the program (`checks/NAME.yaml.json`), by paths from the root of the package: whoever has the same runbooks need
 * not check them again. One with problems has no such file, and every check of it tells them.
 */
export function keepChecks(folder: string): void {
  mkdirSync(join(folder, 'checks'))
  for (const name of readdirSync('runbooks').filter((each) => each.endsWith('.yaml'))) {
    const kept = checkAlone(resolve(folder, 'cli.js'), resolve('runbooks', name))
    if (kept) writeFileSync(join(folder, 'checks', `${name}.json`), JSON.stringify(ofPackage(kept)))
  }
}

/** In a folder where nothing is configured and nothing was kept before. */
function checkAlone(program: string, path: string): Kept | undefined {
  const empty = mkdtempSync(join(tmpdir(), 'runbook-build-'))
  try {
    const env = { PATH: process.env['PATH'], HOME: empty, XDG_CACHE_HOME: empty }
    spawnSync(process.execPath, [program, 'check', path], { cwd: empty, env })
    const checks = join(empty, 'runbook', 'checks')
    const [file] = readdirSync(empty).length > 0 ? readdirSync(checks) : []
    return file === undefined ? undefined : (JSON.parse(readFileSync(join(checks, file), 'utf8')) as Kept)
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
}

/** The questions about the runbooks. Where the package is, and whether there is a configuration, is asked by each check. */
function ofPackage({ asked, result }: Kept): Kept {
  const answeredAnew = ['runbook.config.yaml', 'package.json', 'schemas']
  const own = asked
    .map((each) => ({ ...each, path: relative('.', each.path) }))
    .filter(({ path }) => !answeredAnew.includes(basename(path)))
  const foreign = own.find(({ path }) => path !== 'runbooks' && !path.startsWith('runbooks/'))
  if (foreign) throw new Error(`a runbook that ships rests on ${foreign.path}, which does not`)
  return { asked: own, result }
}
