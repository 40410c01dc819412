import { expect, test } from 'vitest'
import type { Diagnostic } from '../../../engine/diagnostic.ts'
import { countDiagnostics, diagnosticRecords, drawDiagnostics } from '../../../engine/view/diagnostics.ts'

const source = { path: 'reboot.yaml', text: 'name: reboot\nstepz:\n  - acton: \u001b]0;x\u0007\n' }
const problem = (span: { start: number; end: number }, severity: 'error' | 'warning', hint?: string): Diagnostic => ({
  code: 'RB1102' as Diagnostic['code'],
  severity,
  message: 'unknown field `stepz`',
  source,
  span,
  ...(hint !== undefined && { hint }),
})
const error = problem({ start: 13, end: 18 }, 'error', 'did you mean `steps`?')
const warning = problem({ start: 24, end: 29 }, 'warning')

test('problems are drawn in the order of the file, with their frames and how many there are', () => {
  const text = drawDiagnostics([warning, error])
  expect(text.indexOf('error RB1102')).toBeLessThan(text.indexOf('warning RB1102'))
  expect(text).toContain('--> reboot.yaml:2:1')
  expect(text).toContain('^^^^^')
  expect(text).toContain('did you mean `steps`?')
  expect(text).toMatch(/\n\n1 error, 1 warning\n$/)
})

test('nothing is drawn where nothing is wrong', () => {
  expect(drawDiagnostics([])).toBe('')
  expect(countDiagnostics([])).toBe('no problems')
  expect(countDiagnostics([error, error, error, warning])).toBe('3 errors, 1 warning')
})

test('a file cannot steer the terminal through a frame', () => {
  expect(drawDiagnostics([warning])).not.toContain('\u001b')
})

test('colour marks the severity and the place', () => {
  expect(drawDiagnostics([warning], { colour: true })).toMatch(/\u001b\[33mwarning RB1102/)
})

test('programs get lines and columns from one, the end exclusive', () => {
  expect(diagnosticRecords([error])).toEqual([
    {
      code: 'RB1102',
      severity: 'error',
      message: 'unknown field `stepz`',
      file: 'reboot.yaml',
      line: 2,
      column: 1,
      endLine: 2,
      endColumn: 6,
      hint: 'did you mean `steps`?',
    },
  ])
})
