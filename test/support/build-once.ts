import { execFileSync } from 'node:child_process'

/** Tests of the program run the program as it is shipped: it is built anew before them. */
export function setup(): void {
  execFileSync(process.execPath, ['scripts/run-ts.mjs', 'scripts/build.ts'], { stdio: 'inherit' })
}
