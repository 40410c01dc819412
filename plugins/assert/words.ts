import type { Evaluated } from '../../engine/action/contract.ts'

/** Why a condition does not hold, or undefined when it does: `size(x) == 1` failed: `size(x)` was 2. */
export function failedCondition(evaluated: Evaluated): string | undefined {
  if ('error' in evaluated) return evaluated.error
  if (evaluated.value === true) return undefined
  const operands = evaluated.operands.map(({ text, value }) => `\`${text}\` was ${JSON.stringify(value)}`)
  return `\`${evaluated.text}\` failed${operands.length > 0 ? `: ${operands.join(', ')}` : ''}`
}
