import type { Action } from '../../engine/action/contract.ts'
import { choose } from './choose.ts'
import { confirm } from './confirm.ts'
import { input } from './input.ts'

export const actions: readonly Action[] = [confirm, input, choose]
