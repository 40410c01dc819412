/** What the built program leaves out until it is needed, and that nothing is told otherwise for it. */
import { readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { builtIn } from '../../engine/cli/built-in.ts'
import { runCli } from '../support/run-cli.ts'
import { book, type Workspace, workspace } from './program.ts'

/** Checks a file, and gives the packages that were read for it beside what was told. */
async function checked(space: Workspace, path: string) {
  const list = join(space.folder, 'loaded')
  const hook = space.write(
    'hook.cjs',
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)}, Object.keys(require.cache).join('\\n')))`,
  )
  const ended = await space.run(['check', '--output', 'json', path], { NODE_OPTIONS: `--require ${hook}` })
  const packages = readFileSync(list, 'utf8')
    .split('\n')
    .filter((file) => /[/\\]packages[/\\]/.test(file))
    .map((file) => basename(file, '.cjs'))
  return { ...ended, packages }
}

test('a check of a runbook without faults reads no package that can wait', async () => {
  const { stdout, packages } = await checked(workspace(), resolve('runbooks/daily-inspection.yaml'))
  expect(stdout).toBe('[]\n')
  expect(packages).toEqual([])
})

test.each([
  ['yaml', 'steps: [', 'RB1007'],
  ['ajv', 'steps:\n  - { id: a, action: local.run, with: { command: [] } }\n', 'RB1205'],
  ['handlebars', "steps:\n  - { id: a, name: '{{#if}}', action: local.run, with: { command: 'true' } }\n", 'RB2106'],
  ['re2js', "steps:\n  - { id: a, let: { b: \"'a'.matches('(?=a)')\" } }\n", 'RB2103'],
])('%s is read where something is wrong that it tells', async (name, body, code) => {
  const space = workspace()
  const { stdout, packages } = await checked(space, space.write('a.yaml', book('a', body)))
  expect(JSON.parse(stdout)).toMatchObject([{ code }])
  expect(packages.some((each) => each.includes(name))).toBe(true)
})

test('of every action is told what its source says, though a check does not load it', async () => {
  const space = workspace()
  const names = builtIn.map(({ name }) => name)
  const steps = builtIn.flatMap(({ name, examples: [example = {}] }, index) => [
    `  - { id: s${index}, action: ${name}, effect: read, with: ${JSON.stringify({ ...example, nonsense: 1 })} }`,
    `  - { id: t${index}, action: ${name}, with: {}, verify: [{ that: result.nonsense == 1 }, { that: result == 1 }] }`,
  ])
  const path = space.write('all.yaml', book('all', `steps:\n${steps.join('\n')}\n`))
  const { stdout } = await checked(space, path)
  const source = await runCli(['check', '--output', 'json', path], { cwd: space.folder, home: space.folder })
  const told = JSON.parse(stdout) as readonly { readonly code: string }[]
  expect(told.filter(({ code }) => code === 'RB1202')).toHaveLength(names.length)
  expect(told).toEqual(JSON.parse(source.stdout))
})
