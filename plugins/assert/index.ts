import type { Action } from '../../engine/action/contract.ts'
import { check } from './check.ts'
import { that } from './that.ts'

export const actions: readonly Action[] = [that, check]
