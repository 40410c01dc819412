import { describe, expect, test } from 'vitest'
import { evaluate, parseExpression } from '../../../engine/expression/expression.ts'
import { failureOf, read, valueIn } from './reading.ts'

const items = Array.from({ length: 200 }, (_, index) => index)

/** Twice itself, so many times over, by name. */
function doubled(start: string, twice: (name: string) => string, times: number): string {
  const open = Array.from({ length: times }, (_, index) => `cel.bind(v${index + 1}, ${twice(`v${index}`)}, `).join('')
  return `cel.bind(v0, ${start}, ${open}v${times}${')'.repeat(times)})`
}

describe('an expression that would do too much work stops', () => {
  test.each([
    ['loops in loops', 'l.all(a, l.all(b, l.all(c, l.all(d, a + b + c + d >= 0))))'],
    ['loops in loops behind an ||', 'l.exists(a, l.exists(b, l.exists(c, l.exists(d, a > 1000)))) || true'],
    ['a text that doubles', doubled('"aaaaaaaa"', (name) => `${name} + ${name}`, 40)],
    ['a list that doubles', doubled('[1]', (name) => `${name} + ${name}`, 40)],
    ['a list that holds itself twice, over and over', doubled('[1]', (name) => `[${name}, ${name}]`, 40)],
    [
      'comparing such lists',
      doubled('[1]', (name) => `[${name}, ${name}]`, 40).replace(/v40(\)+)$/, 'v40 == [v39, v39]$1'),
    ],
    ['joining such lists', doubled('"a"', (name) => `[${name}, ${name}].join("")`, 40)],
    ['replacing a letter by a long text', doubled('"aaaaaaaa"', (name) => `replace(${name}, "a", ${name})`, 3)],
  ])('%s', (_, text) => {
    expect(failureOf(text, { l: items })).toMatchObject({ code: 'work' })
  })
})

test('ordinary work over thousands of items fits', () => {
  const servers = Array.from({ length: 10_000 }, (_, index) => ({
    id: String(index),
    status: index % 7 ? 'ACTIVE' : 'ERROR',
  }))
  expect(valueIn('size(servers.filter(s, s.status == "ERROR" && s.id != "0"))', { servers })).toBe(1_428)
})

test('the budget is the caller’s to set', () => {
  expect(() => evaluate(read('l.all(a, a >= 0)'), { l: items }, { budget: 100 })).toThrow(
    expect.objectContaining({ code: 'work' }),
  )
  expect(evaluate(read('l.all(a, a >= 0)'), { l: items }, { budget: 2_000 })).toBe(true)
})

test('a pattern that hangs other engines is answered', () => {
  expect(valueIn('text.matches("^(a+)+$")', { text: `${'a'.repeat(5_000)}!` })).toBe(false)
})

describe('a text that is no reasonable expression is refused when it is read', () => {
  test.each([
    ['too long', `"${'a'.repeat(20_000)}"`],
    ['nested too deeply in brackets', `${'('.repeat(400)}1${')'.repeat(400)}`],
    ['nested too deeply in lists', `${'['.repeat(400)}1${']'.repeat(400)}`],
    ['too many operators in a row', Array.from({ length: 500 }, () => '1').join('+')],
    ['too many signs in a row', `${'!'.repeat(9_000)}true`],
  ])('%s', (_, text) => {
    expect(parseExpression(text).problem).toMatchObject({ kind: 'syntax' })
  })
})
