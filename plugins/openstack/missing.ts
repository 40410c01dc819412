import { StepFailure } from '../../engine/action/contract.ts'

/** What a look gives, or undefined where there is no such thing: `not_found`. */
export async function orMissing<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'not_found') return undefined
    throw error
  }
}
