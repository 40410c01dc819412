import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkPattern, patternOf } from '../../../engine/expression/text-functions.ts'

function accepted(check: (pattern: string) => unknown, pattern: string): boolean {
  try {
    check(pattern)
    return true
  } catch {
    return false
  }
}

test('what is taken for a pattern without compiling it compiles, and what compiles is taken', () => {
  const parts =
    'a z 0 - ^ $ . | * + ? *? ( ) (?: (?i) (?= (?<n> [ ] [^ {2} {2,3} { } {1001} \\d \\b \\. \\1 \\- \\/ \\k , é 🙂'.split(
      ' ',
    )
  let good = 0
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength: 7 }), (words) => {
      const pattern = words.join('')
      const whole = accepted(patternOf, pattern)
      if (whole) good++
      expect(accepted(checkPattern, pattern), pattern).toBe(whole)
    }),
    { numRuns: 20_000, seed: 7 },
  )
  expect(good).toBeGreaterThan(1_000)
})
