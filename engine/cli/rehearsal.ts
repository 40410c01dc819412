import { appendFileSync } from 'node:fs'
import type { Rehearsal } from '../../simulator/contract.ts'
import { RunbookError } from '../error.ts'

/** Starts the world of a scenario; each change made to it is a line of the file `effects`. Throws `bad_scenario`. */
export async function beginRehearsal(
  scenario: string,
  speed: number | undefined,
  effects: string | undefined,
): Promise<Rehearsal> {
  const { loadScenario, ScenarioError, startRehearsal } = await import('../../simulator/index.ts')
  try {
    if (effects !== undefined) appendFileSync(effects, '')
    return await startRehearsal({
      scenario: await loadScenario(scenario),
      ...(speed !== undefined && { speed }),
      ...(effects !== undefined && {
        onEffect: (effect) => appendFileSync(effects, `${JSON.stringify(effect)}\n`),
      }),
    })
  } catch (error) {
    if (error instanceof ScenarioError)
      throw new RunbookError('bad_scenario', error.message, { hint: error.hint, cause: error })
    throw error
  }
}
