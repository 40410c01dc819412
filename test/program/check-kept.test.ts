import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { book, mark, workspace } from './program.ts'

const again = 'nothing has changed since'
const calls = book('calls', 'steps:\n  - { id: other, runbook: called, with: {} }\n')
const called = book('called', `steps:\n${mark('one')}`)

test('a check without problems is not made again while all that it read is as it was', async () => {
  const space = workspace()
  space.write('calls.yaml', calls)
  space.write('called.yaml', called)
  const said = async (...args: string[]) => {
    const { code, all } = await space.run(['check', 'calls.yaml', ...args])
    return { code, all }
  }
  expect(await said()).toEqual({ code: 0, all: '1 runbook checked, no problems\n' })
  expect(await said()).toEqual({ code: 0, all: `1 runbook checked, no problems, and ${again}\n` })
  expect((await said('--no-cache')).all).not.toContain(again)
  expect((await said('--output', 'json')).all).toBe('[]\n')

  // what it calls is broken
  space.write('called.yaml', called.replace('local.script', 'local.scirpt'))
  const broken = await said()
  expect(broken.code).toBe(2)
  expect(broken.all).toContain('local.scirpt')
  expect(await said()).toEqual(broken)
  // what it calls is not there
  rmSync(join(space.folder, 'called.yaml'))
  expect((await said()).code).toBe(2)
  space.write('called.yaml', called)
  expect((await said()).code).toBe(0)

  // a configuration appears, and an inventory is named in it
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nrunbooks: [1]\n')
  expect((await said()).code).toBe(2)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\ninventory: hosts.yaml\n')
  expect((await said()).code).toBe(2)
  space.write('hosts.yaml', 'apiVersion: runbook/v1\nhosts: { c1: {} }\n')
  expect((await said()).all).not.toContain(again)
  expect((await said()).all).toContain(again)
})

test('warnings and plugins are told each time', async () => {
  const space = workspace()
  space.write(
    'warned.yaml',
    book('warned', 'steps:\n  - { id: gone, action: local.run, effect: destructive, with: { command: rm x } }\n'),
  )
  const first = await space.run(['check', 'warned.yaml'])
  expect(first.all).toContain('warning RB')
  expect((await space.run(['check', 'warned.yaml'])).all).toBe(first.all)
  space.write('called.yaml', called)
  space.write('plugin.mjs', 'export const actions = []\n')
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nplugins: [./plugin.mjs]\n')
  for (let time = 0; time < 2; time++)
    expect((await space.run(['check', 'called.yaml'])).all).toBe('1 runbook checked, no problems\n')
})

test('a folder for it that cannot be written, and one that holds rubbish, change nothing', async () => {
  const space = workspace()
  space.write('called.yaml', called)
  const check = (env = {}) => space.run(['check', 'called.yaml'], env)
  for (let time = 0; time < 2; time++)
    expect(await check({ XDG_CACHE_HOME: '/dev/null' })).toMatchObject({
      code: 0,
      all: '1 runbook checked, no problems\n',
    })
  await check()
  await space.shell('for f in cache/runbook/checks/*; do echo "{" > "$f"; done').ended
  expect(await check()).toMatchObject({ code: 0, all: '1 runbook checked, no problems\n' })
  expect((await check()).all).toContain(again)
})
