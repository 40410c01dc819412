import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { program, workspace } from './program.ts'

const asShipped = '1 runbook checked, no problems, as shipped\n'
const anew = '1 runbook checked, no problems\n'

/** The package in a folder of its own, where its runbooks can be changed, and a folder in which nothing is configured. */
function installed() {
  const space = workspace()
  const home = join(space.folder, 'package')
  for (const name of ['package.json', 'schemas']) cpSync(name, join(home, name), { recursive: true })
  // what is beside them in the repository is not in the package
  for (const name of readdirSync('runbooks').filter((each) => each.endsWith('.yaml')))
    cpSync(join('runbooks', name), join(home, 'runbooks', name))
  cpSync(dirname(program), join(home, 'dist'), { recursive: true })
  rmSync(join(space.folder, 'runbook.config.yaml'))
  const check = async (...words: string[]) => {
    const { code, all } = await space.shell(`'${process.execPath}' '${home}/dist/cli.js' check ${words.join(' ')}`)
      .ended
    return { code, all }
  }
  const change = (name: string, from: string, to: string) => {
    const path = join(home, 'runbooks', name)
    const text = readFileSync(path, 'utf8')
    expect(text).toContain(from)
    writeFileSync(path, text.replace(from, to))
  }
  return { space, home, check, change }
}

test('a runbook that is as it shipped was checked when the program was built', async () => {
  const { home, check } = installed()
  const names = readdirSync(join(home, 'runbooks')).filter((name) => name.endsWith('.yaml'))
  for (const name of names) expect(await check(`package/runbooks/${name}`), name).toEqual({ code: 0, all: asShipped })
  expect(await check('daily-inspection')).toEqual({ code: 0, all: asShipped })
  expect((await check('daily-inspection', 'package/runbooks/no-ip.yaml')).all).toContain('2 runbooks checked')
  expect(await check('--no-cache', 'daily-inspection')).toEqual({ code: 0, all: anew })
})

test('one that was changed, or that calls one that was, is checked', async () => {
  const { home, check, change } = installed()
  change('daily-inspection.yaml', 'action: ', 'action:  ')
  expect(await check('daily-inspection')).toEqual({ code: 0, all: anew })
  change('daily-inspection.yaml', 'action:  ', 'aktion: ')
  expect((await check('daily-inspection')).code).toBe(2)

  expect(await check('compute-reboot')).toEqual({ code: 0, all: asShipped })
  change('host-facts.yaml', 'action: ', 'aktion: ')
  const broken = await check('compute-reboot')
  expect(broken.code).toBe(2)
  expect(broken.all).toContain('aktion')
  rmSync(join(home, 'runbooks', 'host-facts.yaml'))
  expect((await check('compute-reboot')).code).toBe(2)
})

test('a configuration, an inventory, a file of the same name and a copy have a say', async () => {
  const { space, home, check } = installed()
  const inventory = 'apiVersion: runbook/v1\nhosts: { c1: {} }\n'
  space.write('hosts.yaml', inventory)
  expect((await check('--inventory hosts.yaml', 'host-facts')).all).not.toContain('as shipped')
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\n')
  expect(await check('host-facts')).toEqual({ code: 0, all: anew })
  rmSync(join(space.folder, 'runbook.config.yaml'))
  space.write('no-ip', 'steps: []\n')
  expect((await check('no-ip')).code).toBe(2)
  // beside it stands another runbook than the one that it calls
  mkdirSync(join(space.folder, 'mine'))
  cpSync(join(home, 'runbooks', 'compute-reboot.yaml'), join(space.folder, 'mine', 'compute-reboot.yaml'))
  space.write('mine/host-maintenance-enter.yaml', 'steps: []\n')
  expect((await check('mine/compute-reboot.yaml')).code).toBe(2)
})

test('where the build could not keep it, or what it kept is rubbish, they are checked', async () => {
  const { home, check } = installed()
  const kept = join(home, 'dist', 'checks', 'host-facts.yaml.json')
  writeFileSync(kept, '{')
  expect(await check('host-facts')).toEqual({ code: 0, all: anew })
  rmSync(join(home, 'dist', 'checks'), { recursive: true })
  expect((await check('no-ip')).code).toBe(0)
})
