import { mkdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { book, workspace } from './program.ts'

const action = (name: string) => `export const actions = [{
  name: '${name}.look', summary: 'looks', effect: 'read',
  params: { type: 'object', additionalProperties: false, properties: {} },
  result: { type: 'object', additionalProperties: false, properties: { seen: { type: 'string' } } },
  examples: [{}], async run() { return { seen: '${name}' } },
}]
`

test.each([
  ['a path for all', { exports: './lib/index.mjs' }],
  ['conditions', { exports: { '.': { types: './t.d.ts', import: { node: './lib/index.mjs' }, default: './no.js' } } }],
  ['main', { main: 'lib/index.mjs' }],
])('a plugin is found in a package beside the configuration that names it: %s', async (_how, manifest) => {
  const space = workspace()
  mkdirSync(`${space.folder}/node_modules/@example/toy/lib`, { recursive: true })
  space.write('node_modules/@example/toy/package.json', JSON.stringify({ name: '@example/toy', ...manifest }))
  space.write('node_modules/@example/toy/lib/index.mjs', action('toy'))
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: ["@example/toy"]\n')
  mkdirSync(`${space.folder}/below`)
  space.write(
    'look.yaml',
    book('look', 'steps: [{ id: a, action: toy.look }]\noutputs: { seen: steps.a.result.seen }\n'),
  )
  const { code, all } = await space.shell('cd below && runbook exec ../look.yaml').ended
  expect(code, all).toBe(0)
  expect(space.entries().at(-1)).toMatchObject({ outputs: { seen: 'toy' } })
})

test('a package that is nowhere is told by its name', async () => {
  const space = workspace()
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nplugins: ["@example/nowhere"]\n')
  const { code, all } = await space.run(['actions'])
  expect(code, all).toBe(2)
  expect(all).toContain('the plugin `@example/nowhere` cannot be loaded')
})
