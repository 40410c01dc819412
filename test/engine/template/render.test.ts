import { describe, expect, test } from 'vitest'
import type { Renderer } from '../../../engine/template/template.ts'
import { renderText } from '../../../engine/template/template.ts'
import { failureOf, read, textOf } from './reading.ts'

const scope = {
  inputs: {
    host: 'c1',
    n: 3,
    zero: 0,
    yes: true,
    no: false,
    nothing: null,
    list: ['a', 'b c'],
    none: [],
    map: { k: 1 },
    odd: `it's; $(rm)`,
    'with-dash': 'd',
  },
  steps: {
    find: {
      result: {
        servers: [
          { name: 'web', nics: [{ ip: '1' }, { ip: '2' }] },
          { name: 'db', nics: [] },
        ],
      },
    },
  },
}

describe('a template renders', () => {
  test.each([
    ['{{ inputs.host }} has {{inputs.n}} {{{inputs.yes}}}', 'c1 has 3 true'],
    ['{{inputs.list.[1]}} {{steps.find.result.servers.0.name}} {{inputs.list.length}}', 'b c web 2'],
    ['{{inputs.with-dash}}', 'd'],
    ['<{{inputs.odd}}>', `<it's; $(rm)>`],
    ['{{! said to nobody }}x', 'x'],
    ['docker ps --format "\\{{.Names}}" on {{inputs.host}}', 'docker ps --format "{{.Names}}" on c1'],
    ['a\\\\{{inputs.host}}', 'a\\c1'],
    ['{{#if inputs.yes}}y{{else}}n{{/if}}{{#if inputs.none}}y{{else if inputs.zero}}z{{else}}n{{/if}}', 'yn'],
    ['{{#unless inputs.no}}y{{/unless}}{{#if inputs.nothing}}y{{/if}}', 'y'],
    ['{{#each inputs.list}}{{@index}}={{this}}{{#unless @last}}, {{/unless}}{{/each}}', '0=a, 1=b c'],
    ['{{#each inputs.map}}{{@key}}={{this}}{{/each}}', 'k=1'],
    ['{{#each inputs.none}}x{{else}}none{{/each}}', 'none'],
    [
      '{{#each steps.find.result.servers}}{{name}}:{{#each nics}}{{../name}}/{{ip}}/{{@root.inputs.host}} {{/each}}{{/each}}',
      'web:web/1/c1 web/2/c1 db:',
    ],
    [
      '{{#each steps.find.result.servers as |s i|}}{{#each s.nics as |nic|}}{{i}}{{s.name}}{{nic.ip}} {{/each}}{{/each}}',
      '0web1 0web2 ',
    ],
    ['{{join inputs.list}}|{{join inputs.list "-"}}', 'a, b c|a-b c'],
    ['{{json inputs.map}} {{json inputs.nothing}}', '{"k":1} null'],
    ['{{default inputs.nope "none"}} {{default inputs.nothing inputs.n}} {{default inputs.host "x"}}', 'none 3 c1'],
    ['{{upper (trim " a ")}}{{lower "B"}}{{length inputs.list}}', 'Ab2'],
    ['{{#each inputs.list}}\n- {{this}}\n{{/each}}\nend', '- a\n- b c\nend'],
  ])('%s', (text, expected) => {
    expect(textOf(text, scope)).toBe(expected)
  })
})

describe('what is missing is an error, wherever it stands', () => {
  test.each([
    ['x {{inputs.hots}}', 'inputs.hots', ['inputs', 'hots']],
    ['{{input.host}}', 'input.host', ['input']],
    ['{{#if inputs.nope}}x{{/if}}', 'inputs.nope', ['inputs', 'nope']],
    ['{{#unless inputs.nope}}x{{/unless}}', 'inputs.nope', ['inputs', 'nope']],
    ['{{#each inputs.nope}}x{{/each}}', 'inputs.nope', ['inputs', 'nope']],
    ['{{upper inputs.nope}}', 'inputs.nope', ['inputs', 'nope']],
    ['{{default inputs.nope inputs.neither}}', 'inputs.neither', ['inputs', 'neither']],
    ['{{inputs.list.[7]}}', 'inputs.list.[7]', ['inputs', 'list', 7]],
    ['{{inputs.nothing.x}}', 'inputs.nothing.x', ['inputs', 'nothing', 'x']],
    ['{{inputs.nope.deeper.still}}', 'inputs.nope.deeper.still', ['inputs', 'nope']],
    ['{{#each steps.find.result.servers}}{{nme}}{{/each}}', 'nme', ['steps', 'find', 'result', 'servers', 0, 'nme']],
    [
      '{{#each steps.find.result.servers}}{{inputs.host}}{{/each}}',
      'inputs.host',
      ['steps', 'find', 'result', 'servers', 0, 'inputs'],
    ],
    ['{{inputs.constructor}}', 'inputs.constructor', ['inputs', 'constructor']],
    ['{{constructor}}', 'constructor', ['constructor']],
    ['{{inputs.host.length}}', 'inputs.host.length', ['inputs', 'host', 'length']],
    ['{{inputs.__proto__}}', 'inputs.__proto__', ['inputs', '__proto__']],
  ])('%s', (text, part, path) => {
    const failure = failureOf(() => textOf(text, scope))
    expect(failure.path).toEqual(path)
    expect(text.slice(failure.start, failure.end)).toBe(part)
  })

  test('a name of the outermost level inside `#each` is told how to write it', () => {
    expect(failureOf(() => textOf('{{#each inputs.list}}{{inputs.host}}{{/each}}', scope)).message).toContain(
      'inputs.list.0',
    )
    expect(
      failureOf(() => textOf('{{#each steps.find.result.servers}}{{inputs.host}}{{/each}}', scope)).hint,
    ).toContain('@root.inputs.host')
  })
})

describe('what has no one text does not print', () => {
  test.each([
    '{{inputs.list}} x',
    '{{inputs.map}}',
    '{{inputs.nothing}}',
    '{{join inputs.map}}',
    '{{upper inputs.list}}',
    '{{length inputs.n}}',
    '{{#each inputs.host}}x{{/each}}',
    '{{#each inputs.nothing}}x{{/each}}',
  ])('%s', (text) => {
    expect(failureOf(() => textOf(text, scope))).toMatchObject({ name: 'TemplateError' })
  })
})

test.each([
  ['{{inputs.list}} x', '`inputs.list` is a list', 'join'],
  ['{{inputs.map}} x', '`inputs.map` is a mapping', 'json'],
  ['{{inputs.nothing}} x', '`inputs.nothing` is empty (`null`)', 'default'],
])('%s is told what it is and what to write', (text, message, hint) => {
  const failure = failureOf(() => textOf(text, scope))
  expect(failure.message).toContain(message)
  expect(failure.hint).toContain(hint)
})

describe('a value is printed for where it goes', () => {
  test.each<[Renderer, string, string]>([
    ['text', 'x={{inputs.odd}}', `x=it's; $(rm)`],
    ['word', 'x={{inputs.odd}}', `x='it'\\''s; $(rm)'`],
    ['word', 'ls {{inputs.list}} {{inputs.n}}', `ls a 'b c' 3`],
    ['word', '{{default inputs.nope ""}}', `''`],
    [
      'json',
      '{"a": {{inputs.odd}}, "l": {{inputs.list}}, "n": {{inputs.nothing}} }',
      `{"a": "it's; $(rm)", "l": ["a","b c"], "n": null }`,
    ],
    ['url', '/v2/{{inputs.odd}}?x={{inputs.n}}', `/v2/it's%3B%20%24(rm)?x=3`],
  ])('as %s: %s', (renderer, text, expected) => {
    expect(renderText(read(text), scope, renderer)).toBe(expected)
  })

  test('a value never becomes a second word', () => {
    for (const value of ['', ' ', 'a b', "'", '"', '\n', '$x', '`x`', '~', '*', '-', 'ü', '#', '!', '\\']) {
      const written = renderText(read('{{v}}'), { v: value }, 'word')
      expect(
        String(written)
          .replaceAll("'\\''", '\u0000')
          .replace(/^'([^']*)'$/, '$1')
          .replaceAll('\u0000', "'"),
      ).toBe(value)
      if (!/^[\w%+,./:=@-]+$/.test(value)) expect(written).toMatch(/^'.*'$/s)
    }
  })
})

test('loops in loops over long lists stop', () => {
  const list = Array.from({ length: 1_000 }, (_, index) => index)
  const failure = failureOf(() =>
    textOf('{{#each l}}{{#each ../l}}{{#each ../../l}}x{{/each}}{{/each}}{{/each}}', { l: list }),
  )
  expect(failure.message).toContain('#each')
})

test('no message holds a value of the scope', () => {
  for (const text of ['{{s.x}}', '{{#each s}}x{{/each}}', '{{join s}}', '{{m}}', '{{m.x}}', '{{l}} x', '{{join m}}']) {
    const failure = failureOf(() => textOf(text, { s: 'hunter2', m: { k: 'hunter2' }, l: ['hunter2'] }))
    expect(`${failure.message} ${failure.hint}`).not.toContain('hunter2')
  }
})
