import { expect, test } from 'vitest'
import { asks } from '../../../engine/action/contract.ts'
import { readDeclaration, writtenDeclaration } from '../../../engine/action/declared.ts'
import { builtIn } from '../../../engine/cli/built-in.ts'

test.each(builtIn.map((action) => [action.name, action] as const))('%s declares the same as a text', (_, action) => {
  const declared = readDeclaration(JSON.parse(JSON.stringify(writtenDeclaration(action))))
  const { name, effect, params, result } = action
  expect(declared).toMatchObject({ name, effect })
  expect([declared.params, declared.result]).toStrictEqual([params, result])
  expect(declared.params).toBe(declared.params)
  expect(asks(declared)).toBe(asks(action))
  expect(declared.effectFromStep === true).toBe(!asks(action) && action.effectFromStep === true)
})
