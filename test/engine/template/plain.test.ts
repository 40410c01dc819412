import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Part } from '../../../engine/template/part.ts'
import { plainParts } from '../../../engine/template/plain.ts'
import { libraryParts } from '../../../engine/template/read.ts'

const pieces = [
  ...['{{ a.b }}', '{{a}}', '{{ a . b }}', '{{a.}}', '{{.a}}', '{{ a_1.B2 }}', '{{\ta\t}}', '{{\na}}', '{{ a.b.0 }}'],
  ...['{{this}}', '{{ this.a }}', '{{ a.this }}', '{{else}}', '{{true}}', '{{ a.true }}', '{{null}}', '{{ as }}'],
  ...['{{{a}}}', '{{a}}}', '{{{{a}}', '{{&a}}', '{{~a}}', '{{a~}}', '{{!a}}', '{{#if a}}', '{{/if}}', '{{upper a}}'],
  ...['{{default}}', '{{each}}', '{{constructor}}', '{{__proto__}}', '{{a-b}}', '{{ä}}', '\\{{a}}', '\\\\{{a}}'],
  ...[
    '{{join a}}',
    "{{ join a.b ', ' }}",
    '{{join a "; "}}',
    "{{default a ''}}",
    '{{ default a b.c }}',
    '{{join}}',
    "{{join 'a'}}",
  ],
  ...[
    "{{join a 'x}}'}}",
    '{{join a "it\'s"}}',
    "{{join a 'b' }}",
    "{{join a 'b'}}}",
    "{{join a  'b'  }}",
    "{{join a'b'}}",
    "{{join 'a'b}}",
  ],
  ...[
    '{{join true}}',
    '{{default a null}}',
    '{{default a 1}}',
    '{{default a this}}',
    '{{default a b c}}',
    '{{json a b}}',
    '{{json.a b}}',
  ],
  ...[
    "{{join a ', ' }",
    "{{upper 'x'}}",
    '{{upper upper}}',
    '{{join a as}}',
    '{{join a b=c}}',
    '{{join (json a)}}',
    '{{join\na}}',
    "{{join a '\n'}}",
  ],
  ...[
    "{{join a '\u00e4'}}",
    '{{#if a}}x{{/if}}',
    '{{^}}',
    '{{> a}}',
    '{{#each a}}',
    '{{/each}}',
    "{{lookup a 'b'}}",
    "{{if a 'b'}}",
  ],
  ...[
    '{{ a.[b:c] }}',
    '{{a.[0]}}',
    '{{a.[01]}}',
    '{{a.[this]}}',
    '{{a.[b c]}}',
    '{{[a]}}',
    '{{a.[]}}',
    '{{a[0]}}',
    '{{a.[..]}}',
  ],
  ...[
    '{{ a.[b-c].d }}',
    "{{join a.[b] ', '}}",
    '{{a.[b].[c]}}',
    '{{a.[b.c]}}',
    '{{a.[length]}}',
    '{{a.[@b]}}',
    '{{a.[999999999999]}}',
  ],
  ...['{', '}', '{{', '}}', '\\', '\0', '\n', '\r\n', ' ', 'text', '"', 'a'],
]

function partsOf(text: string): readonly Part[] | 'refused' {
  try {
    return libraryParts(text)
  } catch {
    return 'refused'
  }
}

test('what is read without the library is read as the library reads it', () => {
  const texts = fc
    .array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string() }), {
      maxLength: 6,
    })
    .map((all) => all.join(''))
  let read = 0
  fc.assert(
    fc.property(texts, (text) => {
      const parts = plainParts(text)
      if (parts === undefined) return
      if (parts.some(({ is }) => is === 'value')) read++
      expect({ text, parts }).toEqual({ text, parts: partsOf(text) })
    }),
    { numRuns: 1_500 },
  )
  expect(read).toBeGreaterThan(30)
})

test.each([
  "{{ join inputs.hosts ', ' }} and {{default a.b 'c'}}",
  '{{ inputs.host }}',
  'Step 1 of {{ inputs.host }}',
  'a\n{{ a }} {{ b.c }}\n',
])('nearly all templates are read without it: %j', (text) => {
  expect(plainParts(text)).toEqual(partsOf(text))
})

test('pairs of pieces too', () => {
  for (const [first, second] of pieces.flatMap((one) => pieces.map((other) => [one, other] as const))) {
    const text = `${first}${second}`
    const parts = plainParts(text)
    if (parts !== undefined) expect({ text, parts }).toEqual({ text, parts: partsOf(text) })
  }
})
