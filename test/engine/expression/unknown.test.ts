import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExpressionError, evaluate } from '../../../engine/expression/expression.ts'
import { Unknown, unknownIn } from '../../../engine/expression/unknown.ts'
import type { Json } from '../../../engine/json.ts'
import { read, valueIn } from './reading.ts'

const u = new Unknown('`drain` was not done')

describe('an answer that rests on an unknown is unknown', () => {
  test.each([
    'u',
    '!u',
    'u == 1',
    'u.a.b',
    'u[0]',
    'list[u]',
    'u + 1',
    'u ? 1 : 1',
    'true && u',
    'u || false',
    'size(u)',
    'u.filter(x, x)',
    'list.filter(x, x == u)',
    'list.all(x, x == u)',
    'sum([1, u])',
    'sum(holes)',
    '[1, u] == [1, 2]',
    '3 in [1, u]',
    'string(u)',
    'max(holes)',
    'has(u.a)',
    'u.?a.orValue(1)',
    'u && nope.nope',
    'nope.nope || u',
    'holes.sort_by(x, x)',
    'u - timestamp(0)',
  ])('%s', (text) => {
    expect(valueIn(text, { u, list: [1, 2], holes: [1, u] })).toBe(u)
  })
})

describe('an answer that does not rest on it is given', () => {
  test.each([
    ['u && false', false],
    ['false && u', false],
    ['u || true', true],
    ['list.all(x, x == 1 && u)', false],
    ['holes.exists(x, x == 1)', true],
    ['holes.all(x, x == 2)', false],
    ['1 in holes', true],
    ['[1, u] == [2, u]', false],
    ['[u] == []', false],
    ['size(holes)', 2],
    ['holes[0]', 1],
    ['part.known', 1],
    ['has(part.hole)', true],
    ['has(part.nope)', false],
    ['part.?nope.orValue(3)', 3],
    ['keys(part)', ['known', 'hole']],
    ['true ? 1 : u', 1],
  ])('%s is %j', (text, value) => {
    expect(valueIn(text, { u, list: [1, 2], holes: [1, u], part: { known: 1, hole: u } })).toEqual(value)
  })
})

test('what an expression makes may hold an unknown part', () => {
  expect(valueIn('{"host": "c1", "server": u}', { u })).toEqual({ host: 'c1', server: u })
  expect(valueIn('[1, 2].map(x, {"n": x, "u": u})[0]', { u })).toEqual({ n: 1, u })
})

const leaf = fc.constantFrom('a', 'b', 'c', 'true', 'false', '1', '0', '"x"', 'null', 'm.k', 'm.n', 'm.l', 'm.nope')
const { condition } = fc.letrec<{ condition: string; value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(tie('value'), fc.constantFrom('+', '-', '*', '/', '%'), tie('value'))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc.tuple(tie('value'), tie('value')).map(([l, r]) => `[${l}, ${r}]`),
    fc.tuple(tie('value'), tie('value')).map(([l, r]) => `${l}[${r}]`),
    fc.tuple(tie('condition'), tie('value'), tie('value')).map(([t, l, r]) => `(${t} ? ${l} : ${r})`),
    fc
      .tuple(fc.constantFrom('size', 'sort', 'sum', 'max', 'distinct', 'string', 'flatten', 'join'), tie('value'))
      .map(([f, v]) => `${f}(${v})`),
    fc
      .tuple(tie('value'), fc.constantFrom('map', 'sort_by', 'group_by'), tie('value'))
      .map(([l, f, b]) => `${l}.${f}(a, ${b})`),
    fc.tuple(tie('value'), tie('condition')).map(([l, c]) => `${l}.filter(b, ${c})`),
    fc.tuple(tie('value'), tie('value')).map(([v, d]) => `m.?n.orValue(${v}).?k.orValue(${d})`),
  ),
  condition: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc
      .tuple(tie('value'), fc.constantFrom('==', '!=', '<', '>=', 'in'), tie('value'))
      .map(([l, op, r]) => `(${l} ${op} ${r})`),
    fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map(([l, op, r]) => `(${l} ${op} ${r})`),
    tie('condition').map((c) => `!${c}`),
    fc
      .tuple(tie('value'), fc.constantFrom('all', 'exists', 'exists_one'), tie('condition'))
      .map(([l, f, c]) => `${l}.${f}(c, ${c})`),
    fc.constantFrom('has(m.k)', 'has(m.nope)', 'has(m.n.k)'),
  ),
}))
const json: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, 1, 2, 'x', ''),
  fc.array(fc.constantFrom<Json>(1, 2, true, 'x', null), { maxLength: 3 }),
  fc.constantFrom<Json>({ k: 1 }, { k: true }, {}),
)
const concrete = fc.record({
  a: json,
  b: json,
  c: json,
  m: fc.record({ k: json, n: json, l: fc.array(json, { maxLength: 3 }) }),
})
type Concrete = { a: Json; b: Json; c: Json; m: { k: Json; n: Json; l: readonly Json[] } }

/** One place of the scope that is hidden. */
const hidings: readonly ((scope: Concrete) => object)[] = [
  (scope) => ({ ...scope, a: u }),
  (scope) => ({ ...scope, b: u }),
  (scope) => ({ ...scope, m: u }),
  (scope) => ({ ...scope, m: { ...scope.m, n: u } }),
  (scope) => ({ ...scope, m: { ...scope.m, l: scope.m.l.map((item, index) => (index === 0 ? u : item)) } }),
  (scope) => ({ ...scope, a: u, c: u, m: { ...scope.m, k: u } }),
]

function answer(text: string, scope: object): { value: unknown } | { failed: string } {
  try {
    return { value: evaluate(read(text), scope as Record<string, unknown>) }
  } catch (error) {
    if (error instanceof ExpressionError) return { failed: error.code }
    throw error
  }
}

/** Whether a value could be the known one: the same, but for the parts that it does not know. */
function covers(partial: unknown, whole: unknown): boolean {
  if (partial instanceof Unknown) return true
  if (typeof partial !== 'object' || partial === null || typeof whole !== 'object' || whole === null)
    return partial === whole
  const keys = Object.keys(partial)
  return (
    keys.length === Object.keys(whole).length &&
    keys.every((key) => covers((partial as never)[key], (whole as never)[key]))
  )
}

test('hiding an input gives unknown or the very answer, and an error only where there was one', () => {
  let told = 0
  fc.assert(
    fc.property(condition, concrete, fc.constantFrom(...hidings), (text, scope, hide) => {
      const before = answer(text, scope)
      const after = answer(text, hide(scope as Concrete))
      if ('failed' in after) expect(before).toHaveProperty('failed')
      else if ('value' in before) expect(covers(after.value, before.value)).toBe(true)
      if ('value' in after && !unknownIn(after.value)) told++
    }),
    { numRuns: 4_000, seed: 7 },
  )
  expect(told).toBeGreaterThan(100)
})
