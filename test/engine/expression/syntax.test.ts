import { describe, expect, test } from 'vitest'
import { parseExpression } from '../../../engine/expression/expression.ts'

describe('what is no expression is told with its place and what to write instead', () => {
  test.each([
    ['', '', undefined],
    ['a and b', 'and', 'write `&&`'],
    ['a or b', 'or', 'write `||`'],
    ['not a', 'a', 'write `!`'],
    ['a = 1', '=', 'write `==` to compare'],
    ['a === 1', '=', 'write `==` to compare'],
    ['a & b', '&', 'write `&&`'],
    ['size(a', 'a', 'a `)` is missing'],
    ['[1, 2', '2', 'a `]` is missing'],
    ['a ? b', 'b', 'a `:` is missing'],
    ['a &&', '&', undefined],
    ['"abc', '"abc', 'close it with the same quote'],
    ['for', 'for', 'use another name'],
    ["b'raw'", "b'raw'", 'write a text without the `b`'],
    ['12345678901234567890', '12345678901234567890', 'compare it as a text, in quotes'],
    ['l.all(1, true)', '1', 'write `list.filter(item, item.field == 1)`'],
    ['has(a)', 'a', 'write `has(value.field)`'],
    ['ärger', 'ärger', undefined],
    ['a;', ';', undefined],
  ])('%s', (text, part, hint) => {
    const { problem } = parseExpression(text)
    expect(problem).toMatchObject({ kind: 'syntax' })
    expect(problem?.hint).toBe(hint)
    expect(text.slice(problem?.start, problem?.end)).toBe(part)
  })
})

test('a text is read once', () => {
  expect(parseExpression('inputs.once == 1')).toBe(parseExpression('inputs.once == 1'))
})

test('a place counts the brackets round a part', () => {
  const root = parseExpression('( (a + b) * c ) == -(d)').expression?.root
  expect(root).toMatchObject({
    kind: 'operator',
    start: 0,
    end: 23,
    left: { start: 0, end: 15, left: { start: 2, end: 9 } },
    right: { start: 19, end: 23 },
  })
})
