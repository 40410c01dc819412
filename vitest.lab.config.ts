import { defineConfig } from 'vitest/config'

/** The tests against real hosts and a real OpenStack: `npm run test:lab`. One file at a time of those that share a part of the lab. */
export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    fileParallelism: false,
    // against what hangs for ever, not a measure of speed: a busy machine takes three times as long as a quiet one
    testTimeout: 480_000,
    hookTimeout: 480_000,
    // what is waited for comes when the machine has time for it
    expect: { poll: { timeout: 60_000 } },
  },
})
