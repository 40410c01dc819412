import { describe, expect, test } from 'vitest'
import { read } from './reading.ts'

const referencesIn = (text: string) =>
  read(text).references.map(({ path, start, end, optional }) => [path.join('.'), text.slice(start, end), optional])

describe('references are what an expression takes from its scope', () => {
  test.each<[string, (string | boolean)[][]]>([
    [
      'steps.a.result.x == inputs.y',
      [
        ['steps.a.result.x', 'steps.a.result.x', false],
        ['inputs.y', 'inputs.y', false],
      ],
    ],
    ['steps.a.items[0]["k"].v', [['steps.a.items.0.k.v', 'steps.a.items[0]["k"].v', false]]],
    [
      'steps.a.result[inputs.i].name',
      [
        ['steps.a.result', 'steps.a.result', false],
        ['inputs.i', 'inputs.i', false],
      ],
    ],
    [
      'steps.a.result.l.filter(s, s.x == inputs.y && s.l.all(t, t == s))',
      [
        ['steps.a.result.l', 'steps.a.result.l', false],
        ['inputs.y', 'inputs.y', false],
      ],
    ],
    [
      'cel.bind(x, steps.a.result, x.y + z)',
      [
        ['steps.a.result', 'steps.a.result', false],
        ['z', 'z', false],
      ],
    ],
    [
      's.filter(s, s.x).map(x, s)',
      [
        ['s', 's', false],
        ['s', 's', false],
      ],
    ],
    ['has(steps.a.result)', [['steps.a.result', 'steps.a.result', true]]],
    [
      'steps.a.?result.x.orValue(inputs.d)',
      [
        ['steps.a.result.x', 'steps.a.?result.x', true],
        ['inputs.d', 'inputs.d', false],
      ],
    ],
    [
      'size(steps.a.result) + steps.b.result.size()',
      [
        ['steps.a.result', 'steps.a.result', false],
        ['steps.b.result', 'steps.b.result', false],
      ],
    ],
    [
      '{"a": inputs.a, inputs.k: [inputs.b]}',
      [
        ['inputs.a', 'inputs.a', false],
        ['inputs.k', 'inputs.k', false],
        ['inputs.b', 'inputs.b', false],
      ],
    ],
    ['"steps.a" + r"inputs.x"', []],
  ])('%s', (text, expected) => {
    expect(referencesIn(text)).toEqual(expected)
  })
})
