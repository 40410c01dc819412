import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'

const folder = resolve('node_modules', `.runbook-test-${process.pid}`)

/** Tests of the program run the program as it is shipped: built anew before them, in a place of their own. */
export function setup(): void {
  execFileSync(process.execPath, ['scripts/run-ts.mjs', 'scripts/build.ts', folder], { stdio: 'inherit' })
  process.env['RUNBOOK_PROGRAM'] = resolve(folder, 'cli.js')
}

export function teardown(): void {
  rmSync(folder, { recursive: true, force: true })
}
