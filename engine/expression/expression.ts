/**
 * Expressions: CEL, read by a library and evaluated here, so that values may be unknown, work is bounded and no message
 * shows a value. They compute with JSON; numbers are JSON numbers throughout (`7 / 2` is 3.5).
 */
import type { Json, Schema } from '../json.ts'
import { ExpressionError } from './failure.ts'
import type { TypeAnswer } from './infer.ts'
import { infer } from './infer.ts'
import type { Scope, World } from './interpret.ts'
import { guarded, interpret } from './interpret.ts'
import { narrowed } from './narrow.ts'
import type { Node } from './node.ts'
import type { Operand } from './operands.ts'
import { operandsIn } from './operands.ts'
import type { ExpressionProblem } from './problem.ts'
import { problemOf } from './problem.ts'
import { readNode } from './read.ts'
import type { Reference } from './references.ts'
import { referencesOf } from './references.ts'
import { released } from './release.ts'
import { remembered } from './remembered.ts'
import type { Unknown } from './unknown.ts'
import { defaultBudget } from './work.ts'

export { ExpressionError } from './failure.ts'
export { mayBeMissing } from './infer.ts'
export { endingsWithout, failedEndings, missingWith } from './narrow.ts'
export type { ExpressionProblem, Operand, Reference, Scope }

/** An expression that has been read. */
export interface Expression {
  readonly text: string
  readonly references: readonly Reference[]
  readonly root: Node
}

export type ParsedExpression =
  | { readonly expression: Expression; readonly problem?: undefined }
  | { readonly expression?: undefined; readonly problem: ExpressionProblem }

/** Reads an expression; the same text is read once. */
export const parseExpression: (text: string) => ParsedExpression = remembered(1_000, parse)

function parse(text: string): ParsedExpression {
  try {
    const root = readNode(text)
    return { expression: { text, root, references: referencesOf(root) } }
  } catch (error) {
    return { problem: problemOf(text, error) }
  }
}

/** What an expression gives in a scope of these types (JSON Schema by name), and what is wrong with it. */
export function typeOf({ text, root }: Expression, scope: { readonly [name: string]: Schema }): TypeAnswer {
  return infer(text, root, scope)
}

/** The types of names where a condition holds: what may be missing with some endings is there with others. */
export function typesWhere(
  { root }: Expression,
  scope: { readonly [name: string]: Schema },
): { readonly [name: string]: Schema } {
  return narrowed(scope, root, true)
}

export interface EvaluateOptions {
  /** How much work it may do, in ticks: about one per part of the expression evaluated once. */
  readonly budget?: number
}

/**
 * The value of an expression. `Unknown` where the answer rests on a value that is not known yet; a list or a mapping
 * that it makes may hold unknown parts. Throws `ExpressionError`.
 */
export function evaluate(
  { text, root }: Expression,
  scope: Scope,
  { budget = defaultBudget }: EvaluateOptions = {},
): Json | Unknown {
  const world: World = { text, scope, work: { left: budget }, made: false }
  const value = interpret(root, world, undefined)
  return guarded(root, () => released(value, root, world))
}

/** The parts of a condition that decided it, with their values, at most five: `size(result.services)` was 2. Never throws. */
export function operandsOf({ text, root }: Expression, scope: Scope): readonly Operand[] {
  try {
    return operandsIn(root, { text, scope, work: { left: defaultBudget }, made: true })
  } catch (error) {
    if (error instanceof ExpressionError) return []
    throw error
  }
}
