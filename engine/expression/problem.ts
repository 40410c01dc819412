import { ExpressionError } from './failure.ts'

/** What is wrong with the text of an expression; the offsets point into it. */
export interface ExpressionProblem {
  readonly kind: 'syntax' | 'unknown_name' | 'unknown_field' | 'unknown_function' | 'type' | 'missing'
  readonly message: string
  readonly start: number
  readonly end: number
  readonly hint?: string
  /** Of a field that may be missing: its path, where that is fixed. */
  readonly path?: readonly (string | number)[] | undefined
}

/** What reading an expression threw, in our words. */
export function problemOf(text: string, error: unknown): ExpressionProblem {
  if (error instanceof ExpressionError) {
    const { message, start, end, hint } = error
    return { kind: 'syntax', message, start, end, ...(hint !== undefined && { hint }) }
  }
  if (text.trim() === '') return { kind: 'syntax', message: 'the expression is empty', start: 0, end: text.length }
  // deep nesting can exhaust the stack of a reader that calls itself
  if (error instanceof RangeError)
    return {
      kind: 'syntax',
      message: 'the expression is nested too deeply',
      start: 0,
      end: text.length,
      hint: 'split it with `let`',
    }
  const { code, range, summary } = error as { code?: string; range?: { start: number; end: number }; summary?: string }
  if (code === undefined || !range) throw error
  const start = Math.min(range.start, text.length)
  const typed = wordAt(text, start, range.end)
  const negation = /\bnot\s+$/.test(text.slice(0, start)) ? 'write `!`' : undefined
  const { message, hint = negation } = explained(code, typed, summary ?? '')
  const whole =
    typed === ''
      ? { start: Math.max(0, text.trimEnd().length - 1), end: text.length }
      : { start, end: start + typed.length }
  return { kind: 'syntax', message, ...whole, ...(hint !== undefined && { hint }) }
}

function wordAt(text: string, start: number, end: number): string {
  return /^(?:[\p{L}\p{N}_]+|[=!<>&|]+)/u.exec(text.slice(start))?.[0] ?? text.slice(start, Math.max(end, start + 1))
}

const instead: { readonly [typed: string]: string } = {
  and: 'write `&&`',
  or: 'write `||`',
  not: 'write `!`',
  is: 'write `==`',
  '=': 'write `==` to compare',
  '===': 'write `==`',
  '!==': 'write `!=`',
  '<>': 'write `!=`',
  '=>': 'write `>=`',
  '=<': 'write `<=`',
  '&': 'write `&&`',
  '|': 'write `||`',
  $: 'names stand alone, without `$` and braces',
  '}': 'names stand alone, without braces',
}

function explained(code: string, typed: string, summary: string): { message: string; hint?: string | undefined } {
  const hint = Object.hasOwn(instead, typed) ? instead[typed] : undefined
  switch (code) {
    case 'unterminated_string':
    case 'unterminated_triple_quoted_string':
      return { message: 'the text in quotes is not closed', hint: 'close it with the same quote' }
    case 'newline_in_string':
      return { message: 'a line break stands in a text in quotes', hint: 'write `\\n` for a line break' }
    case 'reserved_identifier':
      return { message: `\`${typed}\` is a reserved word`, hint: 'use another name' }
    case 'limit_exceeded':
      return { message: 'the expression is too large', hint: 'split it with `let`' }
    case 'invalid_macro_argument':
      return { message: 'a name for the item belongs here', hint: 'write `list.filter(item, item.field == 1)`' }
    case 'unexpected_character':
    case 'unexpected_token':
    case 'expected_token':
      if (typed === '') return { message: 'the expression ends too early', hint: missingClose(summary) }
      return { message: `\`${typed}\` does not belong here`, hint: hint ?? missingClose(summary) }
    default:
      return { message: summary === '' ? `\`${typed}\` does not belong here` : lowered(summary), hint }
  }
}

const closers: { readonly [token: string]: string } = { RPAREN: ')', RBRACKET: ']', RBRACE: '}', COLON: ':' }

function missingClose(summary: string): string | undefined {
  const closer = closers[/^Expected (\w+)/.exec(summary)?.[1] ?? '']
  return closer && `a \`${closer}\` is missing`
}

function lowered(summary: string): string {
  return summary.charAt(0).toLowerCase() + summary.slice(1)
}
