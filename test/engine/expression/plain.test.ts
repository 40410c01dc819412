import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Node } from '../../../engine/expression/node.ts'
import { plainNode } from '../../../engine/expression/plain.ts'
import { libraryNode } from '../../../engine/expression/read.ts'

function byLibrary(text: string): Node | 'refused' {
  try {
    return libraryNode(text)
  } catch {
    return 'refused'
  }
}

/** Whether it was read without the library; if it was, it was read alike. */
function alike(text: string): boolean {
  const node = plainNode(text)
  if (node !== undefined) expect({ text, node }).toEqual({ text, node: byLibrary(text) })
  return node !== undefined
}

const pieces = [
  ...[
    'a',
    'b.c',
    'steps.x.result',
    'item',
    'cel',
    'in',
    'true',
    'false',
    'null',
    'if',
    'as',
    'has',
    '__proto__',
    'r',
    'b',
  ],
  ...[
    '1',
    '0',
    '1.5',
    '007',
    '1.',
    '.5',
    '1e3',
    '0x1f',
    '1u',
    '9007199254740991',
    '9007199254740993',
    '12345678901234567890',
  ],
  ...[
    "'text'",
    '"text"',
    "''",
    '""',
    "'''",
    '"""',
    "'it\\'s'",
    '"\\n\\t\\\\"',
    "'\\d'",
    "'\\u00e4'",
    "r'raw'",
    "b'raw'",
    "'\"'",
  ],
  ...[
    '==',
    '!=',
    '<',
    '<=',
    '>',
    '>=',
    '&&',
    '||',
    '+',
    '-',
    '*',
    '/',
    '%',
    '!',
    '?',
    ':',
    '=',
    '&',
    '|',
    '//',
    '//x\n',
  ],
  ...[
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    ',',
    '.',
    '.?',
    '[?',
    '.size()',
    '.filter(item, item.a == 1)',
    '.map(x, x > 1, x + 1)',
  ],
  ...[
    '.map(x, x)',
    '.all(1, true)',
    '.sort_by(x, x.a)',
    '.group_by(1, x)',
    '.exists(x, x)',
    'has(a.b)',
    'has(a)',
    'has(a.?b)',
  ],
  ...[
    'cel.bind(x, 1, x)',
    'a.bind(x, 1, x)',
    'cel.bind(1, 1, x)',
    '.orValue(1)',
    '.or(a)',
    'size(a)',
    'f()',
    'f(a, )',
    '{}',
  ],
  ...["{'a': 1}", '{a: b, }', '[1, 2]', '[,]', ' ', '\n', '\t', '\v', 'ä', ';', '$', '@', '\u00a0', '{{', '}}', '\\'],
]

test('what is read without the library is read as the library reads it', () => {
  const glued = fc.constantFrom('', ' ', ' ', ' ')
  const texts = fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 30, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string() }),
        glued,
      ),
      {
        maxLength: 9,
      },
    )
    .map((all) => all.flat().join(''))
  let read = 0
  fc.assert(
    fc.property(texts, (text) => void (alike(text) && read++)),
    { numRuns: 4_000 },
  )
  expect(read).toBeGreaterThan(100)
})

/** Expressions, more or less: most of them are whole. */
const expressions = fc.letrec<{ readonly any: string; readonly small: string }>((tie) => ({
  small: fc.constantFrom('a', 'b.c', '1', '2.5', "'t'", 'true', 'null', '[]', '-1', '- 2', '!a'),
  any: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    tie('small'),
    ...['==', '!=', '<', '<=', 'in', '&&', '||', '+', '-', '*', '/', '%'].map((sign) =>
      fc.tuple(tie('any'), tie('any')).map(([left, right]) => `${left} ${sign} ${right}`),
    ),
    fc
      .tuple(fc.constantFrom('(', '( ', '((', '!(', '-('), tie('any'))
      .map(([open, of]) => `${open}${of}${' )'.repeat(open.replaceAll(/[^(]/g, '').length)}`),
    fc.tuple(tie('any'), tie('any'), tie('any')).map(([test, yes, no]) => `${test} ? ${yes} : ${no}`),
    fc
      .tuple(tie('any'), fc.constantFrom('.f', '.?f', '[0]', '[?a]', '.size()', ".join(', ')"))
      .map((all) => all.join('')),
    fc
      .tuple(tie('any'), fc.constantFrom('filter', 'all', 'map', 'sort_by'), tie('any'))
      .map(([over, macro, body]) => `(${over}).${macro}(x, ${body})`),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => `[${one}, ${other}]`),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => `{'k': ${one}, ${other}: 1}`),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => `f(${one}, ${other})`),
    fc.tuple(tie('any'), tie('any')).map(([one, other]) => `cel.bind(x, ${one}, ${other})`),
  ),
}))

test('brackets, what binds stronger and places are read alike', () => {
  let read = 0
  fc.assert(
    fc.property(expressions.any, (text) => void (alike(text) && read++)),
    { numRuns: 2_000 },
  )
  expect(read).toBeGreaterThan(1_500)
})

test('pairs of pieces too', () => {
  for (const first of pieces)
    for (const second of pieces) for (const between of ['', ' ']) alike(`${first}${between}${second}`)
})

test('what is nested or long is left to the library, or read alike', () => {
  for (const count of [10, 60, 200, 1_200])
    for (const [open, middle, close] of [
      ['(', 'a', ')'],
      ['[', '', ']'],
      ['!', 'a', ''],
      ['', 'a', '.b'],
      ['', 'a', '[0]'],
      ['', 'a', ' + a'],
      ['f(', 'a', ')'],
      ['a ? b : ', 'c', ''],
      ['', '[1', ',1]'],
    ] as const)
      alike(`${open.repeat(count)}${middle}${close.repeat(count)}`)
  for (const count of [10, 31, 33, 40]) alike(`f(${'a,'.repeat(count)}a)`)
})

test('the expressions of the runbooks that ship are read without it', () => {
  const written = readdirSync('runbooks')
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => [
      ...readFileSync(`runbooks/${name}`, 'utf8').matchAll(/^ *(?:- )?(?:when|that|for_each): ([^"'>|\n].*)$/gm),
    ])
    .map(([, text = '']) => text.replace(/ #.*/, ''))
  expect(written.length).toBeGreaterThan(100)
  expect(written.filter((text) => !alike(text) && byLibrary(text) !== 'refused')).toEqual([])
})
