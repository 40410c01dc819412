import { describe, expect, test } from 'vitest'
import { Unknown } from '../../../engine/expression/unknown.ts'
import { isTemplate, previewText, renderDeep, renderText, renderValue } from '../../../engine/template/template.ts'
import { failureOf, read } from './reading.ts'

const u = new Unknown('`find` was not done')
const scope = { inputs: { host: 'c1', n: 3, list: ['a', 'b c'], nothing: null, map: { k: [1] } }, u, holes: ['a', u] }

describe('exactly one path keeps the type of its value', () => {
  test.each([
    ['{{ inputs.n }}', 3],
    ['{{inputs.list}}\n', ['a', 'b c']],
    ['{{inputs.map}}', { k: [1] }],
    ['{{inputs.nothing}}', null],
    ['{{inputs.n}} ', '3 '],
    ['{{inputs.n}}{{inputs.n}}', '33'],
    ['{{json inputs.n}}', '3'],
    ['\\{{inputs.n}}', '{{inputs.n}}'],
  ])('%j gives %j', (text, value) => {
    expect(renderValue(read(text), scope)).toEqual(value)
  })

  test.each([
    ['{{ inputs.map.k.[0] }}', ['inputs', 'map', 'k', 0]],
    ['x{{inputs.n}}', undefined],
    ['{{upper inputs.host}}', undefined],
  ])('the path of %s', (text, whole) => {
    expect(read(text).whole).toEqual(whole)
  })
})

test('the strings inside a value are rendered, its keys and its other values are not', () => {
  const value = {
    host: '{{inputs.host}}',
    n: '{{inputs.n}}',
    list: ['{{inputs.list}}', 'n={{inputs.n}}', 1, null],
    '{{k}}': { fixed: true, escaped: '\\{{x}}' },
  }
  expect(renderDeep(value, scope)).toEqual({
    host: 'c1',
    n: 3,
    list: [['a', 'b c'], 'n=3', 1, null],
    '{{k}}': { fixed: true, escaped: '{{x}}' },
  })
})

test('the error of a string inside a value says where the string is', () => {
  expect(failureOf(() => renderDeep({ 'a/b': [{ 'c~d': '{{inputs.hots}}' }] }, scope))).toMatchObject({
    pointer: '/a~1b/0/c~0d',
    path: ['inputs', 'hots'],
    start: 2,
    end: 13,
  })
  expect(failureOf(() => renderDeep(['ok', '{{ oh'], scope))).toMatchObject({ pointer: '/1', start: 0 })
})

describe('unknown values', () => {
  test.each([
    '{{u}}',
    'a {{u}} b',
    '{{u.deeper.still}}',
    '{{#if u}}x{{/if}}',
    '{{#each u}}x{{/each}}',
    '{{join holes}}',
    '{{default u "x"}}',
    '{{holes}}',
    '{{#each holes}}{{this}}{{/each}}',
  ])('make the text %s unknown', (text) => {
    expect(renderText(read(text), scope)).toBe(u)
  })

  test.each([
    ['{{length holes}}', '2'],
    ['{{holes.[0]}}', 'a'],
    ['{{#if holes}}some{{/if}}', 'some'],
    ['{{#each holes}}x{{/each}}', 'xx'],
  ])('do not matter to %s', (text, expected) => {
    expect(renderText(read(text), scope)).toBe(expected)
  })

  test('stay where they stand in a value', () => {
    expect(renderDeep({ a: '{{u}}', b: ['x {{u}}', '{{inputs.n}}'], c: '{{holes}}' }, scope)).toEqual({
      a: u,
      b: [u, 3],
      c: ['a', u],
    })
  })

  test('are shown to people with why', () => {
    expect(previewText(read('{{inputs.host}}: {{u}} {{#each holes}}{{this}},{{/each}}'), scope)).toBe(
      'c1: ‹`find` was not done› a,‹`find` was not done›,',
    )
  })
})

test('a text is a template when it holds double braces', () => {
  expect(['{{x}}', '\\{{x}}', '{x}', '${x}'].map(isTemplate)).toEqual([true, true, false, false])
})
