/**
 * Runbooks that nobody wrote, in a world that keeps count: whatever they hold, and wherever the process dies, the power
 * fails or somebody presses Ctrl-C, what the language promises holds; also when what failed is mended and the run is
 * resumed. `RUNBOOK_RANDOM_SEED` and `RUNBOOK_RANDOM_RUNS` look further than one run of the tests has time for.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Tally, faultsOf, trials } from '../../support/random/property.ts'

const seed = Number(process.env['RUNBOOK_RANDOM_SEED'] ?? 20_261_130)
const runs = Number(process.env['RUNBOOK_RANDOM_RUNS'] ?? 300)

test.each([
  { which: 'whatever may go wrong in them', tame: false, anywhere: false },
  { which: 'wherever they are interrupted', tame: false, anywhere: true },
  { which: 'that come to the same however often they are cut off', tame: true, anywhere: false },
])('made-up runbooks $which keep what the language promises', async ({ tame, anywhere }) => {
  const tally: Tally = { runbooks: 0, stories: 0, touches: 0, interrupted: 0, bad: 0, mended: 0 }
  const found = await fc.check(
    fc.asyncProperty(trials({ tame, anywhere }), async (trial) => {
      const faults = await faultsOf(trial, tally)
      if (faults !== undefined) throw new Error(faults)
    }),
    { seed: tame ? seed + 1 : seed, numRuns: tame ? Math.ceil(runs / 2) : runs },
  )
  const [smallest] = found.counterexample ?? []
  expect(
    smallest && `seed ${found.seed}, path ${found.counterexamplePath}\n${await faultsOf(smallest)}`,
  ).toBeUndefined()
  expect(found.failed).toBe(false)
  // they were such that it mattered
  expect(tally.touches).toBeGreaterThan(tally.runbooks * 5)
  expect(tally.interrupted).toBeGreaterThan(tally.runbooks)
  expect(tally.bad).toBeGreaterThan(tally.runbooks / 4)
  expect(tally.mended).toBeGreaterThan(tally.runbooks / 10)
})
