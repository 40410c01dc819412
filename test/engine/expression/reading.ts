import type { Scope } from '../../../engine/expression/expression.ts'
import { ExpressionError, evaluate, parseExpression } from '../../../engine/expression/expression.ts'

/** An expression that is expected to be one. */
export function read(text: string) {
  const { expression, problem } = parseExpression(text)
  if (!expression) throw new Error(`${text}: ${problem.message}`)
  return expression
}

export function valueIn(text: string, scope: Scope = {}) {
  return evaluate(read(text), scope)
}

/** How an expression fails; the test fails when it does not. */
export function failureOf(text: string, scope: Scope = {}): ExpressionError {
  try {
    valueIn(text, scope)
  } catch (error) {
    if (error instanceof ExpressionError) return error
    throw error
  }
  throw new Error(`${text} gave a value`)
}
