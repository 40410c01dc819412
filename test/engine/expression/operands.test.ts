import { describe, expect, test } from 'vitest'
import { operandsOf } from '../../../engine/expression/expression.ts'
import { Unknown } from '../../../engine/expression/unknown.ts'
import { read } from './reading.ts'

const scope = {
  result: {
    services: ['a', 'b'],
    code: 1,
    servers: [
      { id: '1', name: 'web', status: 'ACTIVE', tags: ['x'] },
      { id: '2', name: 'db', status: 'ERROR', tags: [] },
    ],
  },
  inputs: { host: 'c1', limit: 5 },
  u: new Unknown('later'),
}

describe('the operands of a condition are the parts that decided it', () => {
  test.each<[string, [string, unknown][]]>([
    ['size(result.services) == 1', [['size(result.services)', 2]]],
    [
      'result.code > inputs.limit',
      [
        ['result.code', 1],
        ['inputs.limit', 5],
      ],
    ],
    [
      '(result.code + 1) * 2 == inputs.limit',
      [
        ['(result.code + 1) * 2', 4],
        ['inputs.limit', 5],
      ],
    ],
    ['result.code == 1 && inputs.host == "c2"', [['inputs.host', 'c1']]],
    [
      'result.code == 0 || inputs.host == "c2"',
      [
        ['result.code', 1],
        ['inputs.host', 'c1'],
      ],
    ],
    ['!(inputs.host == "c1")', [['inputs.host', 'c1']]],
    ['!(result.code == 1 || inputs.host == "c2")', [['result.code', 1]]],
    [
      'result.code == 1 ? inputs.host == "c2" : true',
      [
        ['result.code', 1],
        ['inputs.host', 'c1'],
      ],
    ],
    ['result.code in [0, 2]', [['result.code', 1]]],
    ['has(result.nope)', [['has(result.nope)', false]]],
    ['inputs.host.startsWith("x")', [['inputs.host.startsWith("x")', false]]],
    ['timestamp("2026-11-21") < timestamp(0)', []],
    ['result.servers.all(s, s.status == "ACTIVE")', [['result.servers[1]', { id: '2', name: 'db', status: 'ERROR' }]]],
    [
      '!result.servers.exists(s, s.status == "ERROR")',
      [['result.servers[1]', { id: '2', name: 'db', status: 'ERROR' }]],
    ],
    [
      'result.services.exists(s, s == "c")',
      [
        ['result.services[0]', 'a'],
        ['result.services[1]', 'b'],
      ],
    ],
    ['[].exists(s, s == "c")', [['[]', []]]],
    ['cel.bind(n, size(result.services), n == 1)', [['n', 2]]],
    ['u == 1 || result.code == 2', [['result.code', 1]]],
    ['result.nope == 1 || result.code == 2', [['result.code', 1]]],
    [
      'result.code == 1 && inputs.limit == 5',
      [
        ['result.code', 1],
        ['inputs.limit', 5],
      ],
    ],
  ])('%s', (text, expected) => {
    expect(operandsOf(read(text), scope).map((operand) => [operand.text, operand.value])).toEqual(expected)
  })

  test('at most five are told, each once', () => {
    const text = Array.from({ length: 8 }, (_, index) => `l[${index}] == 9 || l[${index}] == 8`).join(' || ')
    const operands = operandsOf(read(text), { l: [0, 1, 2, 3, 4, 5, 6, 7] })
    expect(operands.map((operand) => operand.text)).toEqual(['l[0]', 'l[1]', 'l[2]', 'l[3]', 'l[4]'])
  })

  test('a condition that does too much work has none, rather than failing again', () => {
    const l = Array.from({ length: 300 }, (_, index) => index)
    expect(operandsOf(read('l.all(a, l.all(b, l.all(c, a + b + c < 0 || true)))'), { l })).toEqual([])
  })
})
