import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { builtIn } from '../../engine/cli/built-in.ts'
import type { Schema } from '../../engine/json.ts'
import { schemaProblem } from '../../engine/schema.ts'
import { isSurelySchema, surelyFits } from '../../engine/schema-fit.ts'

/** The library, as `engine/schema.ts` sets it up. */
const library = { addUsedSchema: false, validateFormats: false } as const
const lenient = new Ajv2020({ ...library, strict: false, validateSchema: false })
const strict = new Ajv2020({ ...library, strict: true, strictTypes: false, strictRequired: false })

const name = fc.constantFrom('a', 'b', 'c', 'constructor')
const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1, 1.5, 3, '', 'a', 'ab', 'A', '😀', '{{ x }}'),
  fc.integer({ min: -3, max: 5 }),
)
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: scalar },
  { weight: 2, arbitrary: holding(holding(scalar)) },
)
const type = fc.constantFrom('string', 'integer', 'number', 'boolean', 'array', 'object', 'null')
const small = fc.integer({ min: 0, max: 3 })

function holding(inner: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const either = fc.oneof(scalar, inner)
  return fc.oneof(fc.array(either, { maxLength: 3 }), fc.dictionary(name, either, { maxKeys: 3 }))
}

/** Of few words: with many, nothing fits. */
function schemaOf(inner: fc.Arbitrary<object | boolean>): fc.Arbitrary<object | boolean> {
  const branches = fc.array(inner, { minLength: 1, maxLength: 3 })
  const words: { readonly [word: string]: fc.Arbitrary<unknown> } = {
    type: fc.oneof(type, fc.uniqueArray(type, { minLength: 1, maxLength: 2 })),
    enum: fc.array(fc.oneof(scalar, value), { minLength: 1, maxLength: 4 }),
    const: fc.oneof(scalar, value),
    minimum: small,
    maximum: small,
    exclusiveMinimum: small,
    exclusiveMaximum: small,
    minLength: small,
    maxLength: small,
    pattern: fc.constantFrom('^a', 'b$', '^[a-z]+$', '^.$'),
    items: inner,
    minItems: small,
    maxItems: small,
    uniqueItems: fc.boolean(),
    properties: fc.dictionary(name, inner, { maxKeys: 3 }),
    required: fc.uniqueArray(name, { maxLength: 2 }),
    additionalProperties: inner,
    propertyNames: fc.constant({ pattern: '^[ab]' }),
    minProperties: small,
    maxProperties: small,
    anyOf: branches,
    oneOf: branches,
    allOf: branches,
    not: inner,
    description: fc.constant('text'),
  }
  return fc
    .subarray(Object.keys(words), { maxLength: 3 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((word) => [word, words[word] as fc.Arbitrary<unknown>]))),
    )
}

const schema = fc.oneof(
  { weight: 1, arbitrary: schemaOf(fc.boolean()) },
  { weight: 3, arbitrary: schemaOf(fc.oneof(fc.boolean(), schemaOf(fc.boolean()))) },
)

test('what surely fits is what the library lets pass', () => {
  let fitting = 0
  fc.assert(
    fc.property(schema, value, (given, data) => {
      if (!surelyFits(given as Schema, data)) return
      fitting++
      expect({ given, data, fits: lenient.compile(given)(data) }).toEqual({ given, data, fits: true })
    }),
    { numRuns: 250 },
  )
  expect(fitting).toBeGreaterThan(30)
})

test('what is surely a schema is what the library takes for one', () => {
  // the mildest change that the quick look could miss: a word too much, of any type
  const word = fc.constantFrom(
    ...['type', 'enum', 'minimum', 'minLength', 'pattern', 'items', 'properties', 'required', 'additionalProperties'],
    ...['uniqueItems', 'description', 'title', 'minItems', 'const', 'format', 'typ', 'secret', 'default', '$ref'],
  )
  const rule = fc.oneof(
    scalar,
    type,
    fc.array(type),
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('[', '(', { type: 'string' }, {}),
  )
  let taken = 0
  fc.assert(
    fc.property(fc.dictionary(word, rule, { maxKeys: 3 }), (given) => {
      if (!isSurelySchema(given)) return
      taken++
      expect(() => strict.compile(given)).not.toThrow()
    }),
    { numRuns: 250 },
  )
  expect(taken).toBeGreaterThan(5)
  expect(schemaProblem({ type: 'text' })).toBeDefined()
})

describe('how quickly it is told', () => {
  const host: Schema = {
    type: 'object',
    additionalProperties: false,
    required: ['address'],
    properties: { address: { type: 'string', pattern: '^[a-z0-9.]+$' }, port: { type: 'integer', maximum: 65_535 } },
  }

  test.each<[unknown, boolean]>([
    [{ address: 'c1' }, true],
    [{ address: 'c1', port: 22 }, true],
    [{ address: 'c 1' }, false],
    [{ address: 'c1', port: 22.5 }, false],
    [{ address: 'c1', ports: 22 }, false],
    [{ port: 22 }, false],
    [['c1'], false],
    [{ address: '{{ target }}', port: '{{ port }}' }, false],
  ])('%j', (data, fits) => {
    expect(surelyFits(host, data)).toBe(fits)
  })

  test('a text that is open fits everywhere, and what stands around it is looked at', () => {
    const open = (text: string) => text.startsWith('{{')
    expect(surelyFits(host, { address: 'c1', port: '{{ port }}' }, open)).toBe(true)
    expect(surelyFits(host, { address: 'c1', port: '22' }, open)).toBe(false)
    expect(surelyFits(host, { addres: '{{ target }}' }, open)).toBe(false)
  })

  test('a schema with a word that is not read here is left to the library', () => {
    expect(surelyFits({ type: 'string', contentEncoding: 'base64' }, 'x')).toBe(false)
    expect(surelyFits({ not: { type: 'string' } }, 1)).toBe(false)
    expect(isSurelySchema({ $ref: '#/x' })).toBe(false)
  })
})

test('what the actions that ship take is read quickly, with a host too', () => {
  const slow = builtIn.flatMap(({ name, params, examples = [] }) => {
    const host = Object.hasOwn(params['properties'] ?? {}, 'host') ? { host: 'h1' } : {}
    return examples.every((example) => surelyFits(params, { ...example, ...host })) ? [] : [name]
  })
  expect(slow).toEqual([])
})
