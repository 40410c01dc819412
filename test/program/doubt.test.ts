import { expect, test } from 'vitest'
import { book, workspace } from './program.ts'

const plugin = `import { readFileSync } from 'node:fs'
export const actions = [{
  name: 'toy.send',
  summary: 'kills the program once it has done its work',
  effect: 'change',
  idempotent: false,
  params: { type: 'object', additionalProperties: false, properties: {} },
  result: { type: 'string' },
  examples: [{}],
  async run() { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) },
  async settled() {
    const seen = readFileSync(process.env.SEEN, 'utf8').trim()
    return seen === 'arrived' ? { happened: 'yes', result: seen } : { happened: 'unknown', why: seen }
  },
}]
`

test('what is in doubt is looked at again each time the run is resumed, until somebody has said what became of it', async () => {
  const space = workspace()
  space.write('toy.mjs', plugin)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./toy.mjs]\n')
  space.write(
    'sends.yaml',
    book('sends', 'steps:\n  - { id: send, action: toy.send, with: {} }\noutputs: { got: steps.send.result }\n'),
  )
  const env = { SEEN: space.write('seen', 'on its way') }
  expect((await space.run(['exec', 'sends.yaml'], env)).code).toBe(null)
  const first = await space.run(['resume', 'last'], env)
  expect(first.code, first.all).toBe(5)
  expect(first.all).toContain('looked since: on its way')
  space.write('seen', 'at the door')
  const second = await space.run(['resume', 'last'], env)
  expect(second.code, second.all).toBe(5)
  expect(second.all).toContain('looked since: at the door')
  space.write('seen', 'arrived')
  const { code, all } = await space.run(['resume', 'last'], env)
  expect(code, all).toBe(0)
  expect(all).toContain('arrived')
  expect((await space.run(['verify', 'last'])).code).toBe(0)
})

test('once somebody has said what became of it, nobody looks again', async () => {
  const space = workspace()
  space.write('toy.mjs', plugin)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./toy.mjs]\n')
  const ask = '  - { id: ask, action: human.confirm, with: { message: Go on? } }\n'
  space.write('sends.yaml', book('sends', `steps:\n  - { id: send, action: toy.send, with: {} }\n${ask}`))
  const env = { SEEN: space.write('seen', 'on its way') }
  await space.run(['exec', 'sends.yaml'], env)
  const said = await space.run(['resume', 'last', '--answer', 'send!doubt=done'], env)
  expect(said.code, said.all).toBe(6)
  const looks = () =>
    space.entries().filter((entry) => 'key' in entry && entry.key === 'send!settled' && entry.type === 'step.ended')
  expect(looks()).toHaveLength(1)
  expect((await space.run(['resume', 'last', '--answer', 'ask=yes'], env)).code).toBe(0)
  expect(looks()).toHaveLength(1)
})

test('a step that is to fail when it is in doubt is asked about once somebody resumes the run after that', async () => {
  const space = workspace()
  space.write('toy.mjs', plugin)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./toy.mjs]\n')
  space.write('sends.yaml', book('sends', 'steps:\n  - { id: send, action: toy.send, in_doubt: fail, with: {} }\n'))
  const env = { SEEN: space.write('seen', 'on its way') }
  await space.run(['exec', 'sends.yaml'], env)
  const failed = await space.run(['resume', 'last'], env)
  expect(failed.code, failed.all).toBe(1)
  const parked = await space.run(['resume', 'last'], env)
  expect(parked.code, parked.all).toBe(5)
  expect(parked.all).toContain('looked since: on its way')
  const { code, all } = await space.run(['resume', 'last', '--answer', 'send!doubt=done'], env)
  expect(code, all).toBe(0)
})
