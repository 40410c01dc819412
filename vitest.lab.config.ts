import { defineConfig } from 'vitest/config'

/** The tests against real hosts and a real OpenStack: `npm run test:lab`. One file at a time, for there is one lab. */
export default defineConfig({
  test: {
    include: ['test/lab/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
