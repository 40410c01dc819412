/** The fast reader and the careful one give the same tree; whatever is wrong or unusual is left to the careful one. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readCarefully } from '../../../engine/document/read-carefully.ts'
import { readEvents } from '../../../engine/document/read-events.ts'

const files = ['runbooks', 'simulator/scenarios', 'test/spec'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name: join(folder, name), text: readFileSync(join(folder, name), 'utf8') })),
)

function expectSame(text: string): void {
  const fast = readEvents(text)
  if (fast) expect({ value: fast, diagnostics: [] }).toEqual(readCarefully({ path: 'same.yaml', text }))
}

describe('the fast reader tells what the careful one tells', () => {
  test('of every file here', () => {
    for (const { text } of files) expectSame(text)
  })

  test.each([
    ['a: 1\nb: -2.5e3\nc: +.5\nd: 1.\ne: 01\nf: 1e2\n'],
    ['a: ~\nb: null\nc: Null\nd: nULL\ne: "null"\nf: tRUE\ng: True\nh: FALSE\n'],
    ['a: 0x1f\n'],
    ['a: .inf\nb: 1e999\n'],
    ['a:\n  - x\n  -\n  - {p: [1, 2], q: }\nb:\n'],
    ['a: |\n  one\n   two\n\n\nb: >-\n  three\n  four\n\nc: |+\n  five\n\n\nd: end\n'],
    ['- |  # a note\n  text\n- - |2\n     more\n- >\n\n  folded\n'],
    ["\"a b\": 'it''s'\n? c\n: d\n"],
    ['a: plain words\n  on two lines\nb: "quoted\n  as well"\n'],
    ['a: {b: [], c: {}, d: [[], [1]]} # note\n'],
    ['a: [1, # note\n  2]\n'],
    ['a: &x 1\nb: *x\n'],
    ['a: &m {k: [1, {l: |-\n x\n}]}\n'],
    ['a: &m\n  k: &n 1\n  l: [*n, *n]\nb: *m\nc: [*m]\n'],
    ['a: &s |\n  x\nb: *s\n'],
    ['a: *later\nb: &later 1\n'],
    ['a: &a [*a]\n'],
    ['a: &twice 1\nb: &twice 2\nc: *twice\n'],
    ['a: &empty\nb: *empty\n'],
    ['&k a: 1\n*k : 2\n'],
    ['a: !!str 1\n'],
    ['---\na: 1\n'],
    [' ---\na: 1\n'],
    ['a: 1\n...\n'],
    ['a: 1\n---\nb: 2\n'],
    ['a: 1\na: 2\n'],
    ['1: a\nnull: b\n<<: c\n'],
    ['a: 1\r\nb: |\r\n  c\r\n'],
    ['# only a note\n'],
    [''],
    ['a: b: c\n'],
    ['a:\n\t- b\n'],
    ['just a text'],
    ['a: |\n  no end of line'],
    ['__proto__: 1\nconstructor: 2\n'],
    ['a: {{ x }}\n'],
    ['a: "\\u00e9\\x41\\n"\n'],
  ])('of %j', (text) => {
    expectSame(text)
  })

  test('of files that were changed anywhere', () => {
    const piece = fc.constantFrom(
      ...' \n:-[]{}#|>"\'&*!?,\t~0.\\%@`',
      '\n  ',
      ': ',
      '- ',
      '\n\n',
      '...',
      '---\n',
      'null',
      '1e5',
    )
    const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(3), put: piece })
    fc.assert(
      fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 3 }), ({ text }, changes) => {
        // a part of the file, so that many are tried
        let changed = text.slice(0, 1_500)
        for (const { at, cut, put } of changes) {
          const place = Math.floor(at * changed.length)
          changed = changed.slice(0, place) + put + changed.slice(place + cut)
        }
        expectSame(changed)
      }),
      { numRuns: Number(process.env['RUNS'] ?? 500) },
    )
  })

  test('and most files need no other', () => {
    const shipped = files.filter(({ name }) => !name.startsWith('test/'))
    expect(shipped.filter(({ text }) => !readEvents(text)).map(({ name }) => name)).toEqual([])
  })
})
