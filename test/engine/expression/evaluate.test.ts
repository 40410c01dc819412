import { describe, expect, test } from 'vitest'
import { failureOf, valueIn } from './reading.ts'

const scope = {
  x: { count: 7, zero: 0, half: 0.5, ids: [1, 2, 3], name: 'abc', empty: null, 'with-dash': 1 },
  servers: [
    { id: '1', name: 'web', status: 'ACTIVE', ram: 512 },
    { id: '2', name: 'db', status: 'ERROR', ram: 2048 },
    { id: '3', name: 'dns', status: 'ACTIVE', ram: 256 },
  ],
}

describe('numbers are JSON numbers, whether written or read', () => {
  test.each([
    ['x.count + 1', 8],
    ['x.count - 1', 6],
    ['x.count * 2', 14],
    ['x.count / 2', 3.5],
    ['7 / 2', 3.5],
    ['size(x.ids) / 2', 1.5],
    ['x.count % 2', 1],
    ['-x.count', -7],
    ['x.count == 7', true],
    ['x.count == 7.0', true],
    ['x.count > 6.5 && x.half < 1', true],
    ['x.ids[x.zero]', 1],
    ['x.ids[size(x.ids) - 1]', 3],
    ['7 in [x.count]', true],
    ['0x10 + 1u', 17],
    ['(1 + 2) * 3', 9],
  ])('%s is %j', (text, value) => {
    expect(valueIn(text, scope)).toEqual(value)
  })
})

describe('what JSON cannot hold is an error, not a wrong value', () => {
  test.each(['1 / 0', '1.0 / 0.0', 'x.count % x.zero', '1e308 * 10.0', 'double("1e308") + double("1e308")'])(
    '%s',
    (text) => {
      expect(failureOf(text, scope)).toMatchObject({ code: 'value' })
    },
  )
})

describe('lists and mappings', () => {
  test.each([
    ['servers.filter(s, s.status == "ACTIVE").map(s, s.name)', ['web', 'dns']],
    ['servers.map(s, s.ram > 400, s.id)', ['1', '2']],
    ['servers.all(s, s.ram > 100)', true],
    ['servers.exists(s, s.status == "ERROR")', true],
    ['servers.exists_one(s, s.status == "ACTIVE")', false],
    ['servers.sort_by(s, s.ram).map(s, s.id)', ['3', '1', '2']],
    ['servers.group_by(s, s.status).ACTIVE.map(s, s.id)', ['1', '3']],
    ['keys(servers.group_by(s, s.status))', ['ACTIVE', 'ERROR']],
    ['{"a": 1}.map(key, key)', ['a']],
    ['"a" in {"a": 1}', true],
    ['cel.bind(bad, servers.filter(s, s.status != "ACTIVE"), size(bad) == 1 ? bad[0].name : "none")', 'db'],
    ['true ? "a" : null', 'a'],
    ['[1, "two", null]', [1, 'two', null]],
    ['x["with-dash"]', 1],
    ['{"n": x.count, "list": x.ids}', { n: 7, list: [1, 2, 3] }],
    ['[{"a": 1}] == [{"a": 1.0}]', true],
    ['1 == "1"', false],
    ['[1] + [2]', [1, 2]],
  ])('%s', (text, value) => {
    expect(valueIn(text, scope)).toEqual(value)
  })
})

describe('what may be missing', () => {
  test.each([
    ['has(x.name)', true],
    ['has(x.nope)', false],
    ['has(x.empty.nope)', false],
    ['x.?nope.orValue("d")', 'd'],
    ['x.?name.orValue("d")', 'abc'],
    ['x.?nope.deeper.orValue("d")', 'd'],
    ['x.empty.?nope.orValue("d")', 'd'],
    ['x.ids[?7].orValue(0)', 0],
    ['x.?nope.hasValue()', false],
    ['x.?nope.or(x.?name).orValue("")', 'abc'],
    ['x.nope == 1 || true', true],
    ['false && x.nope == 1', false],
    ['x.nope == 1 && false', false],
    ['servers.exists(s, s.nope == 1 || s.id == "2")', true],
  ])('%s', (text, value) => {
    expect(valueIn(text, scope)).toEqual(value)
  })

  test('a value that may be missing does not leave an expression', () => {
    expect(failureOf('x.?nope', scope)).toMatchObject({ code: 'type' })
    expect(failureOf('x.?name == "abc"', scope)).toMatchObject({ code: 'type' })
  })

  test.each([
    ['x.nope.deeper', ['x', 'nope'], 0, 6],
    ['y.z', ['y'], 0, 1],
    ['1 + x.ids[9]', ['x', 'ids', 9], 4, 12],
    ['x.empty.deeper', ['x', 'empty', 'deeper'], 0, 14],
    ['x.?nope.value()', ['x', 'nope'], 0, 15],
  ])('the error of %s has the path and the place of what is missing', (text, path, start, end) => {
    expect(failureOf(text, scope)).toMatchObject({ code: 'missing', path, start, end })
  })

  test('a field of an item has no path from the scope', () => {
    expect(failureOf('servers.map(s, s.nope)', scope)).toMatchObject({
      code: 'missing',
      path: undefined,
      start: 15,
      end: 21,
    })
  })

  test('a name that is nearly right is suggested', () => {
    expect(failureOf('x.cuont == 7', scope).hint).toBe('did you mean `count`?')
    expect(failureOf('servres[0]', scope).hint).toBe('did you mean `servers`?')
  })
})

describe('nothing of a prototype is ever seen', () => {
  test.each(['constructor', 'hasOwnProperty', 'toString', 'valueOf'])('%s', (name) => {
    expect(failureOf(name, scope)).toMatchObject({ code: 'missing' })
    expect(failureOf(`x.${name}`, scope)).toMatchObject({ code: 'missing' })
    expect(failureOf(`x["${name}"]`, scope)).toMatchObject({ code: 'missing' })
    expect(failureOf(`x.ids.${name}`, scope)).toMatchObject({ code: 'type' })
    expect(failureOf(`x.name.${name}`, scope)).toMatchObject({ code: 'type' })
    expect(valueIn(`has(x.${name})`, scope)).toBe(false)
    expect(valueIn(`"${name}" in x`, scope)).toBe(false)
    expect(failureOf(`${name}(1)`, scope)).toMatchObject({ code: 'type' })
  })

  test('__proto__', () => {
    expect(failureOf('x.__proto__', scope)).toMatchObject({ code: 'missing' })
    expect(failureOf('x["__proto__"].constructor', scope)).toMatchObject({ code: 'missing' })
    expect(valueIn('has(x.__proto__) || "__proto__" in x', scope)).toBe(false)
  })

  test('a mapping may have such keys of its own', () => {
    expect(valueIn('{"__proto__": 1, "constructor": 2}')).toEqual(JSON.parse('{"__proto__": 1, "constructor": 2}'))
    expect(valueIn('["__proto__"].group_by(k, k).__proto__')).toEqual(['__proto__'])
  })
})

test('no message holds a value of the scope', () => {
  const secret = 'hunter2'
  const texts = [
    's + 1',
    's.a',
    's[0]',
    'bool(s)',
    'number(s)',
    'timestamp(s)',
    'duration(s)',
    'parse_json(s)',
    '"a".matches("(" + s)',
    '!s',
    's && true',
    's.all(x, x)',
    'sum([s])',
    'm[s]',
    's > 1',
    's in s',
    '{1: s}',
    'm.h',
  ]
  for (const text of texts) {
    const failure = failureOf(text, { s: secret, m: { secret } })
    expect(`${failure.message} ${failure.hint}`).not.toContain(secret)
  }
})

test('conditions must be true or false', () => {
  expect(failureOf('x.count && true', scope)).toMatchObject({ code: 'type', start: 0, end: 7 })
  expect(failureOf('!x.name', scope)).toMatchObject({ code: 'type' })
  expect(failureOf('x.count ? 1 : 2', scope)).toMatchObject({ code: 'type' })
  expect(failureOf('x.ids.filter(i, i)', scope)).toMatchObject({ code: 'type' })
})
