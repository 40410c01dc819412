import { describe, expect, test } from 'vitest'
import { typeOf } from '../../../engine/expression/expression.ts'
import type { Schema } from '../../../engine/json.ts'
import { read } from './reading.ts'

const closed = (properties: { readonly [name: string]: Schema }): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
})
const server = closed({
  id: { type: 'string' },
  status: { enum: ['ACTIVE', 'ERROR', 'SHUTOFF'] },
  ram: { type: 'integer' },
  host: { type: ['string', 'null'] },
  fault: { anyOf: [{ type: 'null' }, closed({ code: { type: 'integer' } })] },
  metadata: { type: 'object', additionalProperties: { type: 'string' } },
  raw: {},
})
const scope: { readonly [name: string]: Schema } = {
  inputs: closed({ host: { type: 'string' }, count: { type: 'number' }, sure: { type: 'boolean' } }),
  steps: {
    type: 'object',
    additionalProperties: true,
    properties: {
      list: closed({ result: closed({ servers: { type: 'array', items: server } }), status: { type: 'string' } }),
    },
  },
  either: { oneOf: [closed({ a: { type: 'string' } }), closed({ b: { type: 'number' } })] },
  open: {},
}

const types = (text: string) => typeOf(read(text), scope)

describe('the type of an expression follows from its parts', () => {
  test.each<[string, Schema]>([
    ['inputs.host', { type: 'string' }],
    ['inputs.count + 1', { type: 'number' }],
    ['size(steps.list.result.servers) / 2', { type: 'number' }],
    ['steps.list.result.servers', { type: 'array', items: server }],
    ['steps.list.result.servers[0]', server],
    ['steps.list.result.servers.filter(s, s.ram > 1)', { type: 'array', items: server }],
    ['steps.list.result.servers.map(s, s.id)', { type: 'array', items: { type: 'string' } }],
    ['steps.list.result.servers.map(s, {"id": s.id})[0].id', { type: 'string' }],
    ['steps.list.result.servers.sort_by(s, s.ram)[0].ram', { type: 'integer' }],
    ['steps.list.result.servers.group_by(s, s.status)["ACTIVE"][0].id', { type: 'string' }],
    ['steps.list.result.servers[0].metadata.anything', { type: 'string' }],
    ['steps.list.result.servers.all(s, s.status == "ACTIVE")', { type: 'boolean' }],
    ['cel.bind(l, steps.list.result.servers, l[0].id)', { type: 'string' }],
    ['inputs.sure ? inputs.host : "none"', { anyOf: [{ type: 'string' }, { const: 'none' }] }],
    ['inputs.?host.orValue("x")', { anyOf: [{ type: 'string' }, { const: 'x' }] }],
    ['timestamp(inputs.host) - timestamp(0)', { type: 'string' }],
    ['timestamp(inputs.host)', { type: 'string', format: 'date-time' }],
    ['[1, 2]', { type: 'array', items: { type: 'number' } }],
    ['open.a.b[0].c', {}],
    ['steps.other.result.x', {}],
    ['either.b', { type: 'number' }],
    ['max(1, inputs.count)', { anyOf: [{ const: 1 }, { type: 'number' }] }],
    ['distinct(steps.list.result.servers.map(s, s.id))', { type: 'array', items: { type: 'string' } }],
  ])('%s', (text, schema) => {
    expect(types(text)).toEqual({ schema, problems: [] })
  })
})

describe('a name that does not exist is a problem with a place and a suggestion', () => {
  test.each([
    ['input.host', 'unknown_name', 'input', 'did you mean `inputs`?'],
    ['True || inputs.sure', 'unknown_name', 'True', 'write `true`'],
    ['inputs.hots == ""', 'unknown_field', 'inputs.hots', 'did you mean `host`?'],
    ['steps.list.reslt.x', 'unknown_field', 'steps.list.reslt', 'did you mean `result`?'],
    ['steps.list.result.servers.all(s, s.statsu == "ACTIVE")', 'unknown_field', 's.statsu', 'did you mean `status`?'],
    ['has(inputs.hots)', 'unknown_field', 'inputs.hots', 'did you mean `host`?'],
    ['inputs["hots"]', 'unknown_field', 'inputs["hots"]', 'did you mean `host`?'],
    ['either.c', 'unknown_field', 'either.c', 'did you mean `a`?'],
    ['sise(open)', 'unknown_function', 'sise(open)', 'did you mean `size`?'],
    ['len(open)', 'unknown_function', 'len(open)', 'write `size(value)`'],
  ])('%s', (text, kind, part, hint) => {
    const { problems } = types(text)
    expect(problems).toMatchObject([{ kind, hint }])
    expect(text.slice(problems[0]?.start, problems[0]?.end)).toBe(part)
  })
})

describe('what can never hold by its type is a problem', () => {
  test.each([
    ['inputs.host == 1', 'inputs.host == 1'],
    ['inputs.count == "1"', 'inputs.count == "1"'],
    ['inputs.host != null', 'inputs.host != null'],
    ['steps.list.result.servers[0].status == "ACTVE"', 'steps.list.result.servers[0].status == "ACTVE"'],
    ['inputs.host > 1', 'inputs.host > 1'],
    ['inputs.host + 1 == "a1"', 'inputs.host + 1'],
    ['inputs.host && true', 'inputs.host'],
    ['!inputs.count', 'inputs.count'],
    ['inputs.count ? 1 : 2', 'inputs.count'],
    ['1 in ["a"]', '1 in ["a"]'],
    ['"a" in inputs.host', '"a" in inputs.host'],
    ['inputs.host.all(x, x == 1)', 'inputs.host'],
    ['steps.list.result.servers.filter(s, s.id)', 's.id'],
    ['steps.list.result.servers.status', 'steps.list.result.servers.status'],
    ['steps.list.result.servers["a"]', 'steps.list.result.servers["a"]'],
    ['inputs.host.x', 'inputs.host.x'],
    ['sum(inputs.host)', 'inputs.host'],
    ['size(inputs.count)', 'inputs.count'],
    ['size(open, open)', 'size(open, open)'],
    ['open.matches("(")', '"("'],
    ['duration("1 hour")', '"1 hour"'],
    ['timestamp(inputs.host) > "2026-11-21"', 'timestamp(inputs.host) > "2026-11-21"'],
    ['inputs.?host == "a"', 'inputs.?host == "a"'],
    ['filter(open, 1)', 'filter(open, 1)'],
    ['inputs.host.orValue("x")', 'inputs.host'],
  ])('%s', (text, part) => {
    const { problems } = types(text)
    expect(problems).toMatchObject([{ kind: 'type' }])
    expect(text.slice(problems[0]?.start, problems[0]?.end)).toBe(part)
  })
})

test('a text among mappings is told that a field is to be asked for', () => {
  expect(types('inputs.host in steps.list.result.servers').problems).toMatchObject([
    { kind: 'type', hint: 'ask for a field: `list.exists(item, item.name == …)`' },
  ])
})

describe('what may hold is none', () => {
  test.each([
    'steps.list.result.servers[0].host == null',
    'steps.list.result.servers[0].host == "c1"',
    'steps.list.result.servers[0].fault.code == 1',
    'steps.list.result.servers[0].raw > 1',
    'steps.list.result.servers[0].raw.x.y == "a"',
    'steps.list.result.servers.exists(s, s.status in ["ACTIVE", "ERROR"])',
    'open == 1 && open == "a"',
    'open.x + 1 > 2',
    'inputs.host in open',
    'inputs.host.matches("^c[0-9]+$")',
    'size(inputs.host) > 0',
    'either.a == "x" || either.b == 1',
    'has(steps.list.result.servers[0].metadata.x)',
    'max(3, 4) == 4',
    'timestamp(inputs.host) + duration("1h") < timestamp("2026-11-21")',
  ])('%s', (text) => {
    expect(types(text).problems).toEqual([])
  })
})
