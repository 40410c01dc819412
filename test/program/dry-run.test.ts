import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { book, mark, workspace } from './program.ts'

test('a dry run reads, changes nothing, shows what would be done, and what is not known yet', async () => {
  const space = workspace()
  space.write(
    'dry.yaml',
    book(
      'dry',
      `steps:
  - id: look
    action: local.script
    effect: read
    with: { script: 'echo "look" >> "$LOG"; echo 3' }
${mark('change')}  - id: uses
    action: local.script
    with: { script: 'echo "mark $N" >> "$LOG"', env: { N: "{{ steps.change.result.stdout }}" } }
  - id: perhaps
    when: steps.change.result.exit_code == 0
    action: local.script
    with: { script: 'echo "mark perhaps" >> "$LOG"' }
  - id: otherwise
    when: steps.change.result.exit_code != 0
    action: local.script
    with: { script: 'echo "mark otherwise" >> "$LOG"' }
  - id: sure
    action: human.confirm
    with: { message: Go on? }
`,
    ),
  )
  const { code, all } = await space.run(['exec', 'dry.yaml', '--dry-run'])
  expect(code, all).toBe(0)
  expect(space.effects()).toEqual(['look'])
  expect(all).toContain('nothing was changed: 1 step would act, 3 more might')
  expect(all).toContain('env: {"N":"not known yet"}')
  const previews = space.entries().filter((entry) => entry.type === 'step.previewed')
  expect(previews.map(({ key, maybe }) => [key, maybe !== undefined])).toEqual([
    ['change', false],
    ['uses', true],
    ['perhaps', true],
    ['otherwise', true],
    ['sure', false],
  ])
  const resumed = await space.run(['resume', 'last'])
  expect(resumed.code).toBe(2)
  expect(resumed.stderr).toContain('a dry run is not resumed')
})

test('a limit that came to no duration stops a dry run as it stops the run; one that is not known yet does not', async () => {
  const space = workspace()
  const limit = (id: string, from: string) =>
    `  - { id: ${id}, timeout: "{{ steps.${from}.result.stdout }}", action: local.script, with: { script: 'true' } }\n`
  const look = "  - { id: look, action: local.script, effect: read, with: { script: 'echo soon' } }\n"
  const change = "  - { id: change, action: local.script, with: { script: 'printf 5s' } }\n"
  space.write('bad.yaml', book('bad', `steps:\n${look}${limit('late', 'look')}`))
  space.write('later.yaml', book('later', `steps:\n${change}${limit('late', 'change')}`))
  for (const flags of [['--dry-run'], []]) {
    const bad = await space.run(['exec', 'bad.yaml', ...flags])
    expect(bad.all).toContain('which is not a duration')
    expect(bad.code).toBe(1)
    expect(await space.run(['exec', 'later.yaml', ...flags])).toMatchObject({ code: 0 })
  }
})

const schemas = `
const text = (description) => ({ type: 'string', description })
const params = { type: 'object', properties: { url: text('Where.') }, required: ['url'], additionalProperties: false }
const result = { type: 'object', properties: {}, required: [], additionalProperties: false }
const common = { summary: 'poke', params, result, examples: [{ url: 'http://localhost' }] }
const poke = (method) => async (ctx, { url }, signal) => { await ctx.http({ method, url }, signal); return {} }
`

async function listening(): Promise<{ readonly url: string; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(String(request.method))
    response.end('{}')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((done) => server.once('listening', done))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen }
}

test('a plugin that says it reads, and writes, is refused: the server sees nothing', async () => {
  const { url, seen } = await listening()
  const space = workspace()
  space.write(
    'p.mjs',
    `${schemas}export const actions = [{ ...common, name: 'probe.look', effect: 'read', run: poke('POST') }, { ...common, name: 'probe.really', effect: 'read', run: poke('GET') }]`,
  )
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./p.mjs]\n')
  space.write(
    'pokes.yaml',
    book(
      'pokes',
      `steps:\n  - { id: really, action: probe.really, with: { url: "${url}" } }\n  - { id: look, action: probe.look, with: { url: "${url}" } }\n`,
    ),
  )
  for (const args of [['--dry-run'], []]) {
    const { code, all } = await space.run(['exec', 'pokes.yaml', ...args])
    expect(code, all).toBe(1)
    expect(all).toContain('POST / would change something, and this step only reads')
  }
  expect(seen).toEqual(['GET', 'GET'])
})

test('in a dry run the plan of an action cannot write either', async () => {
  const { url, seen } = await listening()
  const space = workspace()
  space.write(
    'p.mjs',
    `${schemas}export const actions = [{ ...common, name: 'probe.change', effect: 'change', run: poke('POST'), async plan(ctx, { url }, signal) { await ctx.http({ method: 'DELETE', url }, signal); return { summary: 'x', changes: [] } } }]`,
  )
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./p.mjs]\n')
  space.write(
    'pokes.yaml',
    book('pokes', `steps:\n  - { id: change, action: probe.change, with: { url: "${url}" } }\n`),
  )
  const { code, all } = await space.run(['exec', 'pokes.yaml', '--dry-run'])
  expect(code, all).toBe(1)
  expect(seen).toEqual([])
})

test('an action that does not say what it does stops the dry run', async () => {
  const { url, seen } = await listening()
  const space = workspace()
  space.write('p.mjs', `${schemas}export const actions = [{ ...common, name: 'probe.silent', run: poke('POST') }]`)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./p.mjs]\n')
  space.write(
    'pokes.yaml',
    book('pokes', `steps:\n  - { id: silent, action: probe.silent, with: { url: "${url}" } }\n${mark('after')}`),
  )
  const { code, all } = await space.run(['exec', 'pokes.yaml', '--dry-run'])
  expect([1, 2], all).toContain(code)
  expect(all).toContain('probe.silent')
  expect(all).toMatch(/effect|changes anything/)
  expect(all).not.toContain('this is a bug')
  expect(seen).toEqual([])
})

test('inputs come typed, from the command line, files and the environment, and the first of them wins', async () => {
  const space = workspace()
  space.write('in.yaml', 'count: 3\nnames: [x, y]\nword: from-file\n')
  space.write('word.txt', 'from-content\n')
  space.write(
    'inputs.yaml',
    book(
      'inputs',
      `inputs:
  count: { type: integer, description: How many, default: 1 }
  names: { type: array, items: { type: string }, description: Which, default: [a] }
  word: { type: string, description: A word, default: none }
  sure: { type: boolean, description: Whether, default: false }
steps:
  - id: show
    let: { all: inputs }
outputs:
  all: inputs
`,
    ),
  )
  const outputs = async (args: readonly string[], env = {}) => {
    const { code, all } = await space.run(['exec', 'inputs.yaml', ...args], env)
    expect(code, all).toBe(0)
    return (space.entries().at(-1) as unknown as { outputs: { all: unknown } }).outputs.all
  }
  expect(await outputs([])).toEqual({ count: 1, names: ['a'], word: 'none', sure: false })
  expect(
    await outputs(['--input', 'count=7', '-i', 'sure=true', '--input', 'names=p,q', '--input', 'word=a=b']),
  ).toEqual({ count: 7, names: ['p', 'q'], word: 'a=b', sure: true })
  expect(
    await outputs(['--inputs', 'in.yaml', '--input', 'count=9'], {
      RUNBOOK_INPUT_WORD: 'env',
      RUNBOOK_INPUT_SURE: 'true',
    }),
  ).toEqual({ count: 9, names: ['x', 'y'], word: 'from-file', sure: true })
  expect(await outputs(['--input-file', 'word=word.txt'])).toMatchObject({ word: 'from-content' })
  for (const wrong of ['count=many', 'count=1.5', 'sure=perhaps', 'names={}']) {
    const { code, stderr } = await space.run(['exec', 'inputs.yaml', '--input', wrong])
    expect(code, stderr).toBe(2)
    expect(stderr).toContain(`the input \`${wrong.split('=')[0]}\``)
  }
})

test('--limit leaves out hosts of the inventory, and a limit that names none is told', async () => {
  const space = workspace()
  space.write(
    'inventory.yaml',
    'apiVersion: runbook/v1\nhosts:\n  c1: {}\n  c2: {}\n  c3: {}\ngroups:\n  compute: { hosts: [c1, c2, c3] }\n',
  )
  space.write(
    'hosts.yaml',
    book(
      'hosts',
      `steps:\n  - id: each\n    action: local.script\n    targets: compute\n    with: { script: 'echo "mark $H" >> "$LOG"', env: { H: "{{ target.name }}" } }\n`,
    ),
  )
  const { code, all } = await space.run(['exec', 'hosts.yaml', '--inventory', 'inventory.yaml', '--limit', 'c1:c3'])
  expect(code, all).toBe(0)
  expect(space.effects().toSorted()).toEqual(['mark c1', 'mark c3'])
  const none = await space.run(['exec', 'hosts.yaml', '--inventory', 'inventory.yaml', '--limit', 'c9'])
  expect(none.code, none.all).toBe(2)
  expect(none.all).toContain('c9')
  expect(space.effects()).toHaveLength(2)
})

test('a dry run that failed does not say to do the same for real', async () => {
  const space = workspace()
  const look = "  - { id: look, action: local.run, effect: read, with: { command: 'false' } }\n"
  space.write('fails.yaml', book('fails', `steps:\n${look}${mark('change')}`))
  const { code, all } = await space.run(['exec', 'fails.yaml', '--dry-run'])
  expect(code, all).toBe(1)
  expect(all).toContain('nothing was changed')
  expect(all).toMatch(/next +runbook show \S+\n/)
})
