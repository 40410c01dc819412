import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineOf, positionOf } from '../../engine/source.ts'

test('an offset has its line and column, from 1; one past the end is the end', () => {
  const source = { path: 'x', text: 'ab\r\n\ncde' }
  expect([0, 2, 3, 4, 5, 8, 99].map((offset) => positionOf(source, offset))).toEqual([
    { line: 1, column: 1 },
    { line: 1, column: 3 },
    { line: 1, column: 4 },
    { line: 2, column: 1 },
    { line: 3, column: 1 },
    { line: 3, column: 4 },
    { line: 3, column: 4 },
  ])
  expect([1, 2, 3, 4].map((line) => lineOf(source, line))).toEqual(['ab', '', 'cde', ''])
})

test('positions and lines of any text are those that splitting it gives', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', '\n', 'é', '\r\n')), fc.nat(30), (parts, offset) => {
      const source = { path: 'x', text: parts.join('') }
      const before = source.text.slice(0, Math.min(offset, source.text.length)).split('\n')
      expect(positionOf(source, offset)).toEqual({ line: before.length, column: (before.at(-1)?.length ?? 0) + 1 })
      expect(source.text.split('\n').map((_, index) => lineOf(source, index + 1))).toEqual(
        source.text.split('\n').map((line) => line.replace(/\r$/, '')),
      )
    }),
  )
})
