import { describe, expect, test } from 'vitest'
import { failureOf, valueIn } from './reading.ts'

describe('functions', () => {
  test.each([
    ['size("héllo 🙂")', 7],
    ['"abc".size()', 3],
    ['size({"a": 1})', 1],
    ['string(3)', '3'],
    ['string(3.5)', '3.5'],
    ['number(" 42.5 ")', 42.5],
    ['int("42") + int(3.9)', 45],
    ['bool("True")', true],
    ['"c1.example".startsWith("c1.") && "c1".endsWith("1") && "abc".contains("b")', true],
    ['"c10".matches("^c1$")', false],
    ['"x c10 y".matches("c[0-9]+")', true],
    ['"abcabc".indexOf("c", 3)', 5],
    ['"abc".substring(1, 2)', 'b'],
    ['replace("a$b$", "$", "$&")', 'a$&b$&'],
    ['"a,b".split(",")', ['a', 'b']],
    ['["a", 1, true].join("-")', 'a-1-true'],
    ['" a ".trim().upperAscii()', 'A'],
    ['"ÄbÉ".lowerAscii() + "äBé".upperAscii()', 'ÄbÉäBé'],
    ['lines("a\\r\\nb\\n")', ['a', 'b']],
    ['lines("")', []],
    ['parse_json("{\\"a\\": [1]}").a[0]', 1],
    ['sort([10, 9, 2])', [2, 9, 10]],
    ['sort(["b", "a"])', ['a', 'b']],
    ['distinct([1, "1", 1.0, [1], [1], {"a": 1, "b": 2}, {"b": 2, "a": 1}])', [1, '1', [1], { a: 1, b: 2 }]],
    ['flatten([[1], 2, [[3]]])', [1, 2, [3]]],
    ['slice([1, 2, 3], 1)', [2, 3]],
    ['keys({"a": 1})', ['a']],
    ['values({"a": 1})', [1]],
    ['sum([1, 2.5])', 3.5],
    ['sum([])', 0],
    ['min([3, 1])', 1],
    ['max(3, 4, 1)', 4],
    ['percent(1, 4)', 25],
    ['round(percent(1, 3), 1)', 33.3],
    ['round(-2.5)', -3],
    ['floor(1.9) + ceil(1.1) + abs(-1)', 4],
  ])('%s is %j', (text, value) => {
    expect(valueIn(text)).toEqual(value)
  })

  test.each([
    ['size(1)', 'type'],
    ['number("12 GB")', 'value'],
    ['number("")', 'value'],
    ['number("0x10")', 'value'],
    ['bool("yes")', 'value'],
    ['"a".substring(2, 1)', 'value'],
    ['replace("a", "", "b")', 'value'],
    ['join([[1]])', 'type'],
    ['sort([1, "a"])', 'type'],
    ['sort([null])', 'type'],
    ['sum(["1"])', 'type'],
    ['min([])', 'value'],
    ['percent(1, 0)', 'value'],
    ['parse_json("warning: {}")', 'value'],
    ['"a".matches("(?=b)")', 'value'],
    ['sise([])', 'type'],
    ['size()', 'type'],
    ['1 < "2"', 'type'],
    ['null < 1', 'type'],
    ['"a" + 1', 'type'],
    ['"b" in "abc"', 'type'],
    ['[1][0.5]', 'type'],
  ])('%s fails with %s', (text, code) => {
    expect(failureOf(text)).toMatchObject({ code, start: expect.any(Number) })
  })
})

describe('times', () => {
  test.each([
    ['timestamp("2026-11-21T01:12:38Z")', '2026-11-21T01:12:38.000Z'],
    ['timestamp("2026-11-21T01:12:38.000000")', '2026-11-21T01:12:38.000Z'],
    ['timestamp("2026-11-21 01:12:43")', '2026-11-21T01:12:43.000Z'],
    ['timestamp("2026-11-21T01:12:38+08:00")', '2026-11-20T17:12:38.000Z'],
    ['timestamp("2026-11-21")', '2026-11-21T00:00:00.000Z'],
    ['timestamp(0)', '1970-01-01T00:00:00.000Z'],
    ['timestamp("2026-11-21T01:00:00Z") + duration("1d2h")', '2026-11-22T03:00:00.000Z'],
    ['timestamp("2026-11-21T01:00:00Z") - timestamp("2026-11-21 00:58:30")', '90s'],
    ['timestamp("2026-11-21T01:00:00Z") - timestamp("2026-11-21 00:58:30") > duration("1m")', true],
    ['timestamp("2026-11-21T01:12:38.000001") > timestamp("2026-11-21T01:12:38")', true],
    ['timestamp("2026-11-21T09:00:00+08:00") == timestamp("2026-11-21T01:00:00Z")', true],
    ['string(duration("1h30m"))', '5400s'],
    ['duration("250ms")', '0.25s'],
    ['duration("-1.5h").getMinutes()', -90],
    ['duration(90) == duration("1m30s")', true],
    ['number(duration("2m"))', 120],
    ['duration(string(duration("2d"))) == duration("48h")', true],
    ['timestamp("2026-11-21T01:12:38Z").getHours()', 1],
    ['timestamp("2026-11-21T01:12:38Z").getDate()', 21],
    ['timestamp("2026-11-21T01:12:38Z").getMonth()', 10],
    ['[timestamp("2026-11-21T01:12:38Z")]', ['2026-11-21T01:12:38.000Z']],
    ['{"at": timestamp(0)}', { at: '1970-01-01T00:00:00.000Z' }],
  ])('%s is %j', (text, value) => {
    expect(valueIn(text)).toEqual(value)
  })

  test.each([
    'timestamp("yesterday")',
    'timestamp("2026-02-30T00:00:00Z")',
    'timestamp("2026-11-21T25:00:00Z")',
    'timestamp("")',
    'duration("1 day")',
    'duration("")',
    'timestamp(1e30)',
  ])('%s is refused', (text) => {
    expect(failureOf(text)).toMatchObject({ code: 'value' })
  })

  test('a time is not compared with a text', () => {
    expect(failureOf('"2026-11-21" < timestamp(0)')).toMatchObject({
      code: 'type',
      hint: 'read the text with `timestamp(text)`',
    })
  })
})
