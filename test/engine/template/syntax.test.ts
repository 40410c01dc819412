import { describe, expect, test } from 'vitest'
import { parseTemplate } from '../../../engine/template/template.ts'

describe('what is no template is told with its place and what to write instead', () => {
  test.each([
    ['docker ps --format "{{.Names}}"', 'syntax', '{{.Names}}', '\\{{'],
    ['{"a":{"b":{{x}}}}', 'syntax', '{{x}}', '}} }'],
    ['x {{ inputs.host', 'syntax', '{{ inputs.host', '}}'],
    ['{{}}', 'syntax', '{{}}', 'name a value'],
    ['one\ntwo\nthree {{ a | upper }} and more of it', 'syntax', '{{ a | upper }}', 'let'],
    ['{{ok}} and then a lot more text {{ n + 1 }} x', 'syntax', '{{ n + 1 }}', 'let'],
    ['one\r\ntwo {{ a == b }}', 'syntax', '{{ a == b }}', 'let'],
    ['{{ steps.a.result[0].x }}', 'syntax', '{{ steps.a.result[0].x }}', 'steps.a.result.[0].x'],
    ['{{ list.0 }}', 'syntax', '{{ list.0 }}', 'list.[0]'],
    ['{{#if a}}x', 'syntax', '{{#if a}}', '{{/if}}'],
    ['{{#if a}}{{#each b}}x{{/each}}', 'syntax', '{{#if a}}', '{{/if}}'],
    ['{{#if a}}x{{/each}}', 'syntax', '{{#if a}}', '{{/if}}'],
    ['x{{/if}}', 'syntax', '{{/if}}', '{{#if'],
    ['{{> header}}', 'partial', '{{> header}}', 'runbook'],
    ['{{#> layout}}x{{/layout}}', 'partial', '{{#> layout}}x{{/layout}}', 'runbook'],
    ['{{#*inline "x"}}y{{/inline}}', 'syntax', '{{#*inline "x"}}y{{/inline}}', '\\{{'],
    ['{{{{raw}}}}{{x}}{{{{/raw}}}}', 'syntax', '{{{{raw}}}}{{x}}{{{{/raw}}}}', '\\{{'],
    ['{{uper x}}', 'unknown_helper', 'uper', '`upper`'],
    ['{{log x}}', 'unknown_helper', 'log', 'let'],
    ['{{lookup x y}}', 'unknown_helper', 'lookup', 'let'],
    ['{{upper (helperMissing x)}}', 'unknown_helper', 'helperMissing', 'let'],
    ['{{#with x}}y{{/with}}', 'unknown_helper', 'with', '#if'],
    ['{{#inputs.x}}y{{/inputs.x}}', 'unknown_helper', 'inputs.x', '{{#if inputs.x}}'],
    ['{{constructor x}}', 'unknown_helper', 'constructor', 'let'],
    ['{{each x}}', 'unknown_helper', 'each', '#each'],
    ['{{upper x y}}', 'argument', 'upper', '{{upper'],
    ['{{json x indent=2}}', 'argument', 'indent=2', 'json'],
    ['{{#if a b}}x{{/if}}', 'argument', 'if', '#if'],
    ['{{"fixed"}}', 'syntax', '{{"fixed"}}', 'plain text'],
    ['{{this}}', 'syntax', 'this', 'inputs.host'],
    ['{{../x}}', 'syntax', '../x', '../'],
    ['{{@index}}', 'syntax', '@index', '#each'],
  ])('%s', (text, kind, part, hint) => {
    const { problem } = parseTemplate(text)
    expect(problem).toMatchObject({ kind })
    expect(text.slice(problem?.start, problem?.end)).toBe(part)
    expect(problem?.hint).toContain(hint)
  })

  test.each([
    ['helpers in helpers', `{{upper ${'(upper '.repeat(20_000)}x${')'.repeat(20_000)}}}`],
    ['blocks in blocks', `${'{{#if a}}'.repeat(2_000)}x${'{{/if}}'.repeat(2_000)}`],
    ['a long text', `${'a'.repeat(300_000)}{{x}}`],
  ])('a template too large to be read: %s', (_, text) => {
    expect(parseTemplate(text).problem).toMatchObject({ kind: 'syntax' })
  })
})

describe('references are what a template takes from its scope', () => {
  test.each<[string, (string | boolean)[][]]>([
    [
      'a {{ inputs.x }}\nb {{steps.s.result.y}}',
      [
        ['inputs.x', 'inputs.x', false],
        ['steps.s.result.y', 'steps.s.result.y', false],
      ],
    ],
    ['a\r\nb {{x.y}}', [['x.y', 'x.y', false]]],
    [
      '{{upper (default a.b c.d)}}',
      [
        ['a.b', 'a.b', true],
        ['c.d', 'c.d', false],
      ],
    ],
    [
      '{{#if a}}{{b}}{{else if c}}{{d}}{{else}}{{e}}{{/if}}',
      [
        ['a', 'a', false],
        ['b', 'b', false],
        ['c', 'c', false],
        ['d', 'd', false],
        ['e', 'e', false],
      ],
    ],
    [
      '{{#each l.m}}{{n}}{{this.o}}{{@index}}{{../p}}{{@root.q}}{{else}}{{r}}{{/each}}',
      [
        ['l.m', 'l.m', false],
        ['l.m.0.n', 'n', false],
        ['l.m.0.o', 'this.o', false],
        ['p', '../p', false],
        ['q', '@root.q', false],
        ['r', 'r', false],
      ],
    ],
    [
      '{{#each l as |s i|}}{{s.n}}{{i}}{{#each s.k}}{{v}}{{/each}}{{/each}}',
      [
        ['l', 'l', false],
        ['l.0.n', 's.n', false],
        ['l.0.k', 's.k', false],
        ['l.0.k.0.v', 'v', false],
      ],
    ],
    ['\\{{x}} {{! y }}', []],
  ])('%s', (text, expected) => {
    const references = parseTemplate(text).template?.references.map(({ path, start, end, optional }) => [
      path.join('.'),
      text.slice(start, end),
      optional,
    ])
    expect(references).toEqual(expected)
  })
})

test('helpers and blocks are told once each', () => {
  expect(
    parseTemplate('{{upper (lower a)}}{{upper b}}{{#if c}}{{#each d}}x{{/each}}{{/if}}').template?.helpers,
  ).toEqual(['upper', 'lower', 'if', 'each'])
})

test('a text is read once', () => {
  expect(parseTemplate('{{inputs.once}}')).toBe(parseTemplate('{{inputs.once}}'))
})
