import type { ASTNode } from '@marcbachmann/cel-js'
import { Environment } from '@marcbachmann/cel-js'
import { ExpressionError } from './failure.ts'
import type { Macro, Node, Operator } from './node.ts'
import { partsOf } from './node.ts'

const longest = 10_000
const deepest = 300
const reader = new Environment({
  enableOptionalTypes: true,
  limits: { maxAstNodes: 5_000, maxDepth: 150, maxListElements: 1_000, maxMapEntries: 1_000, maxCallArguments: 32 },
})

/**
 * Reads the text of an expression. The library only reads: its tree is rewritten into ours here and goes no further.
 * Throws what the library throws, or an `ExpressionError` for what our language does not have.
 */
export function readNode(text: string): Node {
  if (text.length > longest) throw tooLarge(text)
  const node = lower(text, reader.parse(text).ast)
  if (depthOf(node) > deepest) throw tooLarge(text)
  return node
}

function tooLarge(text: string): ExpressionError {
  return new ExpressionError(
    'work',
    'the expression is too large',
    { start: 0, end: text.length },
    { hint: 'split it with `let`' },
  )
}

function lower(text: string, ast: ASTNode): Node {
  const place = { start: ast.start, end: ast.end }
  switch (ast.op) {
    case 'value':
      return { kind: 'literal', value: literalOf(ast.args, place), ...place }
    case 'id':
      return { kind: 'name', name: ast.args, ...place }
    case '.':
    case '.?': {
      const of = leading(text, lower(text, ast.args[0]))
      return { kind: 'select', of, field: ast.args[1], optional: ast.op === '.?', start: of.start, end: ast.end }
    }
    case '[]':
    case '[?]': {
      const of = leading(text, lower(text, ast.args[0]))
      return {
        kind: 'index',
        of,
        at: lower(text, ast.args[1]),
        optional: ast.op === '[?]',
        start: of.start,
        end: ast.end,
      }
    }
    case 'list':
      return { kind: 'list', items: ast.args.map((item) => lower(text, item)), ...place }
    case 'map':
      return { kind: 'map', entries: ast.args.map(([key, value]) => [lower(text, key), lower(text, value)]), ...place }
    case '!_':
    case '-_': {
      const of = trailing(text, lower(text, ast.args))
      if (ast.op === '-_' && of.kind === 'literal' && typeof of.value === 'number')
        return { ...of, value: -of.value, start: ast.start }
      return { kind: ast.op === '!_' ? 'not' : 'negative', of, start: ast.start, end: of.end }
    }
    case '&&':
    case '||': {
      const { left, right } = sides(text, ast.args)
      return { kind: ast.op === '&&' ? 'and' : 'or', left, right, start: left.start, end: right.end }
    }
    case '?:': {
      const test = leading(text, lower(text, ast.args[0]))
      const no = trailing(text, lower(text, ast.args[2]))
      return { kind: 'choice', test, yes: trailing(text, lower(text, ast.args[1])), no, start: test.start, end: no.end }
    }
    case 'call':
      return lowerCall(text, { name: ast.args[0], args: ast.args[1], receiver: undefined, ...place })
    case 'rcall':
      return lowerCall(text, { name: ast.args[0], receiver: ast.args[1], args: ast.args[2], ...place })
    default: {
      const { left, right } = sides(text, ast.args)
      return { kind: 'operator', name: ast.op satisfies Operator, left, right, start: left.start, end: right.end }
    }
  }
}

interface Call {
  readonly name: string
  readonly receiver: ASTNode | undefined
  readonly args: readonly ASTNode[]
  readonly start: number
  readonly end: number
}

const macros: { readonly [name in Macro]: readonly number[] } = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
  sort_by: [2],
  group_by: [2],
}

function lowerCall(text: string, { name, receiver, args, start, end }: Call): Node {
  const [first, second, third] = args
  if (!receiver && name === 'has' && first) {
    const of = lower(text, first)
    if (of.kind === 'select') return { kind: 'has', of, start, end }
    throw new ExpressionError('type', '`has` asks for a field', of, { hint: 'write `has(value.field)`' })
  }
  if (receiver?.op === 'id' && receiver.args === 'cel' && name === 'bind' && first && second && third) {
    return { kind: 'bind', name: variableOf(first), value: lower(text, second), body: lower(text, third), start, end }
  }
  if (receiver && Object.hasOwn(macros, name) && macros[name as Macro].includes(args.length) && first && second) {
    const over = leading(text, lower(text, receiver))
    const [test, body] = third ? [lower(text, second), lower(text, third)] : [undefined, lower(text, second)]
    return { kind: 'each', macro: name as Macro, over, name: variableOf(first), test, body, start: over.start, end }
  }
  const of = receiver && leading(text, lower(text, receiver))
  const given = args.map((arg) => lower(text, arg))
  return {
    kind: 'call',
    name,
    args: of ? [of, ...given] : given,
    method: of !== undefined,
    start: of?.start ?? start,
    end,
  }
}

function variableOf(ast: ASTNode): string {
  if (ast.op === 'id') return ast.args
  throw new ExpressionError('type', 'a name for the item belongs here', ast, {
    hint: 'write `list.filter(item, item.field == 1)`',
  })
}

function sides(text: string, [left, right]: readonly [ASTNode, ASTNode]): { left: Node; right: Node } {
  return { left: leading(text, lower(text, left)), right: trailing(text, lower(text, right)) }
}

/** The library leaves brackets out of its places. Behind what comes first stands an operator, or the brackets end. */
function leading(text: string, node: Node): Node {
  let { start, end } = node
  for (;;) {
    const close = skip(text, end)
    const open = skipBack(text, start)
    if (text[close] !== ')' || text[open] !== '(') return start === node.start ? node : { ...node, start, end }
    start = open
    end = close + 1
  }
}

/** In front of what comes last stands an operator, or brackets begin. */
function trailing(text: string, node: Node): Node {
  let { start, end } = node
  for (;;) {
    const open = skipBack(text, start)
    const close = skip(text, end)
    if (text[open] !== '(' || text[close] !== ')') return start === node.start ? node : { ...node, start, end }
    start = open
    end = close + 1
  }
}

function skip(text: string, from: number): number {
  let at = from
  while (/\s/.test(text[at] ?? '')) at++
  return at
}

function skipBack(text: string, from: number): number {
  let at = from - 1
  while (/\s/.test(text[at] ?? '')) at--
  return at
}

/** Numbers are JSON numbers; what they cannot hold is refused rather than rounded. */
function literalOf(value: unknown, place: { start: number; end: number }): null | boolean | number | string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number')
    return value
  if (value instanceof Uint8Array)
    throw new ExpressionError('type', 'bytes have no place here', place, { hint: 'write a text without the `b`' })
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new ExpressionError('value', 'the number is too large to be exact', place, {
    hint: 'compare it as a text, in quotes',
  })
}

function depthOf(node: Node): number {
  let depth = 0
  let layer: readonly Node[] = [node]
  for (; layer.length > 0; depth++) layer = layer.flatMap(partsOf)
  return depth
}
