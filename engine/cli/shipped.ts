import type { Declared } from '../action/declared.ts'
import { builtIn } from './built-in.ts'

/**
 * What the actions that ship declare. The built program has it as a text instead (`scripts/build.ts`), so that a check
 * loads nothing of what they do.
 */
export const shipped: readonly Declared[] = builtIn
