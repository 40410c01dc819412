import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'runbooks/**/*.test.ts'],
    exclude: ['test/lab/**'],
    globalSetup: ['test/support/build-once.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // what is waited for comes when the machine has time for it
    expect: { poll: { timeout: 20_000 } },
    // much of a test is waiting for a program: every core has a file at work
    maxWorkers: '100%',
  },
})
