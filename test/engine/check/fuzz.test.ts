/** Whatever a file holds, reading and checking it ends with problems that can be shown, or with none. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseDocument, stringify } from 'yaml'
import { checkRunbook } from '../../../engine/check/check.ts'
import { loadRegistry } from '../../../engine/cli/registry.ts'
import { codes } from '../../../engine/codes.ts'
import type { Diagnostic } from '../../../engine/diagnostic.ts'
import { drawDiagnostic } from '../../../engine/diagnostic.ts'
import { decode } from '../../../engine/document/decode.ts'
import { allWords, rootWords } from '../../../engine/document/grammar.ts'
import { lower } from '../../../engine/document/lower.ts'
import { read } from '../../../engine/document/read.ts'
import type { Json } from '../../../engine/json.ts'
import { isObject } from '../../../engine/json.ts'

const registry = await loadRegistry([])
const library = { find: () => undefined, has: () => false, names: () => [] }
const spec = resolve('test/spec')
const good = readdirSync(spec)
  .filter((name) => name.startsWith('valid-'))
  .map((name) => readFileSync(join(spec, name, 'passes.yaml'), 'utf8'))
const broken = readdirSync(spec, { recursive: true, encoding: 'utf8' })
  .filter((name) => /fails.*\.yaml$/.test(name))
  .map((name) => readFileSync(join(spec, name), 'utf8'))
const texts = fc.constantFrom(...good, ...broken)

function problemsOf(bytes: Uint8Array): readonly Diagnostic[] {
  const decoded = decode('fuzz.yaml', bytes)
  if (!decoded.value) return decoded.diagnostics
  const tree = read(decoded.value)
  const lowered = tree.value ? lower(decoded.value, tree.value) : { value: undefined, diagnostics: [] }
  const checked = lowered.value ? checkRunbook(lowered.value, { registry, library }) : []
  const all = [...tree.diagnostics, ...lowered.diagnostics, ...checked]
  // no tree and no runbook without a reason
  if (!lowered.value) expect(all.length).toBeGreaterThan(0)
  return all
}

function expectShowable(bytes: Uint8Array): void {
  for (const diagnostic of problemsOf(bytes)) {
    const { code, message, span, source } = diagnostic
    expect(Object.keys(codes)).toContain(code)
    expect(message).not.toMatch(/\bundefined\b|\[object|NaN/)
    const inside = span.start >= 0 && span.start <= span.end && span.end <= Math.max(source.text.length, 1)
    expect(inside ? '' : `${code} ${message} at ${span.start} to ${span.end} of ${source.text.length}`).toBe('')
    expect(drawDiagnostic(diagnostic).split('\n').length).toBeGreaterThanOrEqual(4)
  }
}

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('a file that was damaged', () => {
  test('by a cut anywhere', () => {
    fc.assert(
      fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), (text, part) =>
        expectShowable(utf8(text.slice(0, Math.floor(text.length * part)))),
      ),
      { numRuns: 150 },
    )
  })

  test('by bytes in the middle', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc
        .constantFrom(
          '{{',
          '}}',
          '\t',
          '"',
          "'",
          '&a ',
          '*a',
          '!x ',
          '|',
          '- ',
          ': ',
          '[',
          '{',
          '#',
          '\r',
          '\n---\n',
          '%',
          '?',
          '<<: ',
          '\u2028',
          '😀',
          '\ud800',
          '~',
          '0x',
          '.nan',
        )
        .map(utf8),
    )
    fc.assert(
      fc.property(texts, fc.double({ min: 0, max: 1, noNaN: true }), noise, (text, part, bytes) => {
        const whole = utf8(text)
        const at = Math.floor(whole.length * part)
        expectShowable(new Uint8Array([...whole.slice(0, at), ...bytes, ...whole.slice(at)]))
      }),
      { numRuns: 300 },
    )
  })

  test('by lines that were lost, doubled, moved in or out', () => {
    const change = fc.tuple(fc.nat(), fc.constantFrom('lose', 'double', 'in', 'out'))
    fc.assert(
      fc.property(texts, fc.array(change, { minLength: 1, maxLength: 4 }), (text, changes) => {
        const lines = text.split('\n')
        for (const [place, how] of changes) {
          const at = place % lines.length
          const line = lines[at] ?? ''
          const becomes = { lose: [], double: [line, line], in: [`  ${line}`], out: [line.replace(/^ {2}/, '')] }[how]
          lines.splice(at, 1, ...becomes)
        }
        expectShowable(utf8(lines.join('\n')))
      }),
      { numRuns: 300 },
    )
  })
})

const words = fc.constantFrom(
  ...allWords,
  ...Object.keys(rootWords),
  '__proto__',
  'constructor',
  'toString',
  '',
  'that',
  'message',
  'command',
)
const values: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(
      null,
      true,
      0,
      -1.5,
      'x',
      '',
      '{{ inputs.x }}',
      '{{',
      'steps.a.result',
      '[1,2].filter(',
      'local.run',
      'human.confirm',
      'runbook/v1',
      '5m',
      '10%',
      'a b|c',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(words, tie('value'), { maxKeys: 4 }),
  ),
})).value

describe('a file with other values', () => {
  test('in place of one that belongs there', () => {
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.nat(), values, (text, place, value) => {
        const root = parseDocument(text).toJS() as Json
        const paths = pathsOf(root)
        expectShowable(utf8(stringify(withValue(root, paths[place % paths.length] ?? [], value))))
      }),
      { numRuns: 300 },
    )
  })

  test('under another key', () => {
    fc.assert(
      fc.property(fc.constantFrom(...good), fc.nat(), words, (text, place, word) => {
        const root = parseDocument(text).toJS() as Json
        const paths = pathsOf(root).filter((path) => typeof path.at(-1) === 'string')
        expectShowable(utf8(stringify(renamed(root, paths[place % paths.length] ?? [], word))))
      }),
      { numRuns: 200 },
    )
  })

  test('and no sense at all', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(words, values, { maxKeys: 6 }), { maxLength: 4 }),
        fc.dictionary(words, values, { maxKeys: 4 }),
        (steps, rest) => expectShowable(utf8(stringify({ apiVersion: 'runbook/v1', name: 'fuzz', ...rest, steps }))),
      ),
      { numRuns: 300 },
    )
  })
})

type Path = readonly (string | number)[]

function pathsOf(value: Json, path: Path = []): readonly Path[] {
  const below = Array.isArray(value)
    ? value.map((item, index) => [index, item as Json] as const)
    : isObject(value)
      ? Object.entries(value)
      : []
  return [path, ...below.flatMap(([key, item]) => pathsOf(item, [...path, key]))]
}

function withValue(root: Json, [head, ...rest]: Path, value: Json): Json {
  if (head === undefined) return value
  if (Array.isArray(root))
    return root.map((item, index) => (index === head ? withValue(item as Json, rest, value) : (item as Json)))
  return isObject(root)
    ? Object.fromEntries(
        Object.entries(root).map(([key, item]) => [key, key === head ? withValue(item, rest, value) : item]),
      )
    : root
}

function renamed(root: Json, [head, ...rest]: Path, word: string): Json {
  if (Array.isArray(root))
    return root.map((item, index) => (index === head ? renamed(item as Json, rest, word) : (item as Json)))
  if (!isObject(root)) return root
  return Object.fromEntries(
    Object.entries(root).map(([key, item]) =>
      key !== head ? [key, item] : rest.length === 0 ? [word, item] : [key, renamed(item, rest, word)],
    ),
  )
}

test('a field that is called as a method of every object is shown, not called', () => {
  const text = stringify({
    apiVersion: 'runbook/v1',
    name: 'odd-names',
    inputs: { mode: { enum: [{ toString: 1 }, 'hard'] } },
    preconditions: [{ that: "inputs.mode == 'soft'" }],
    steps: [{ id: 'look', when: "inputs.mode == 'soft'", let: { x: 'inputs.mode' } }],
  })
  expectShowable(utf8(text))
})
