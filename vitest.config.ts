import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { WaitingFirst } from './test/support/waiting-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'runbooks/**/*.test.ts'],
    exclude: ['test/lab/**'],
    globalSetup: ['test/support/build-once.ts'],
    // against what hangs for ever, not a measure of speed: the slowest machine seen takes four times as long as the quickest
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // what is waited for comes when the machine has time for it
    expect: { poll: { timeout: 60_000 } },
    // half of the tests' time is waiting for programs and for what happens in a world: two files a core
    maxWorkers: 2 * availableParallelism(),
    // as for the program: much of what a test runs, it runs a few times (see `engine/cli.ts`)
    execArgv: process.version.startsWith('v20.') ? ['--interrupt-budget=600000'] : [],
    sequence: { sequencer: WaitingFirst },
  },
})
