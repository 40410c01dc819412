import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { plainTerminal } from '../support/plain-terminal.ts'
import { atTerminal } from './at-terminal.ts'
import { book, isRunning, mark, type Running, untilGo, type Workspace, workspace } from './program.ts'

/** A step that leaves its process number and stays, with a child of its own in its group. */
const stays = `  - id: long
    action: local.script
    with: { script: 'echo "mark long" >> "$LOG"; sleep 300 & echo "$$ $!" > pids; wait' }
`
const undone = mark('done', {
  more: `rollback:
  - id: undo
    action: local.script
    with: { script: 'echo "mark undo" >> "$LOG"' }`,
})
const group = (body: string) => `  - id: group
    block:
${body.replaceAll(/^(?=.)/gm, '    ')}    always:
${mark('tidy', { indent: 6 })}`

const cancellable = book('cancellable', `steps:\n${undone}${group(stays)}${mark('after')}`)

async function untilItStays(space: Workspace, running: Running): Promise<readonly number[]> {
  const path = join(space.folder, 'pids')
  await running.until(() => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'))
  return readFileSync(path, 'utf8').trim().split(' ').map(Number)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} once stops the step with its whole group, runs always and rollback, and ends the run cancelled with 130`, async () => {
    const space = workspace()
    space.write('cancellable.yaml', cancellable)
    const running = space.start(['exec', 'cancellable.yaml'])
    const pids = await untilItStays(space, running)
    running.child.kill(signal)
    const { code, all } = await running.ended
    expect(code, all).toBe(130)
    expect(pids.filter(isRunning)).toEqual([])
    expect(space.effects()).toEqual(['mark done', 'mark long', 'mark tidy', 'mark undo'])
    expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'cancelled', exit: 130 })
    expect(space.lines().filter((line) => line.includes('"type":"run.cancelled"'))).toHaveLength(1)
    expect((await space.run(['verify', 'last'])).stdout).toContain('ended cancelled')
    // what was cancelled and cleaned up is over
    const resumed = await space.run(['resume', 'last'])
    expect(resumed.code, resumed.all).toBe(2)
    expect(resumed.stderr).toContain('was cancelled and cleaned up')
  })
}

const slowTidy = book(
  'slow',
  `steps:
${undone}  - id: group
    block:
${stays.replaceAll(/^(?=.)/gm, '    ')}    always:
${mark('tidy', { indent: 6, rest: `${untilGo}; echo "mark tidied" >> "$LOG"` })}`,
)

test('a second signal leaves at once with 130, and a resume finishes the clean-up and nothing else', async () => {
  const space = workspace()
  space.write('slow.yaml', slowTidy)
  const running = space.start(['exec', 'slow.yaml'])
  await untilItStays(space, running)
  running.child.kill('SIGINT')
  await running.until(() => space.effects().includes('mark tidy'))
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
  expect(space.entries().some(({ type }) => type === 'run.ended')).toBe(false)
  space.write('go', '')
  const open = await space.run(['resume', 'last'])
  expect(open.code, open.all).toBe(5)
  const resumed = await space.run(['resume', 'last', '--answer', 'group/tidy!doubt=done'])
  expect(resumed.code, resumed.all).toBe(130)
  expect(space.effects().filter((line) => line !== 'mark tidied')).toEqual([
    'mark done',
    'mark long',
    'mark tidy',
    'mark undo',
  ])
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'cancelled' })
})

test('a second signal at a terminal gives the cursor back and says how to go on', async () => {
  const space = workspace()
  space.write('slow.yaml', slowTidy)
  const running = atTerminal(space, ['exec', 'slow.yaml'])
  await untilItStays(space, running)
  running.type('\u0003')
  await running.until(() => space.effects().includes('mark tidy'))
  running.type('\u0003')
  const { code, all } = await running.ended
  space.write('go', '')
  expect(code, all).toBe(130)
  const terminal = plainTerminal()
  terminal.write(all)
  expect(terminal.cursorShown()).toBe(true)
  expect(terminal.lines().slice(-2)).toEqual([
    'left in the middle of the run',
    expect.stringMatching(/^ {2}next {7}runbook resume \d{8}T\d{6}-[\da-f]{6}$/),
  ])
})

const parks = book(
  'parks',
  `steps:
${undone}  - id: group
    block:
      - id: sure
        action: human.confirm
        with: { message: Go on? }
    always:
${mark('tidy', { indent: 6 })}${mark('after')}`,
)

test('resume --cancel ends a run that waits: always and rollback run, nothing else, and it is over', async () => {
  const space = workspace()
  space.write('parks.yaml', parks)
  expect((await space.run(['exec', 'parks.yaml'])).code).toBe(6)
  expect(space.effects()).toEqual(['mark done'])
  const { code, all } = await space.run(['resume', 'last', '--cancel'])
  expect(code, all).toBe(130)
  expect(space.effects()).toEqual(['mark done', 'mark tidy', 'mark undo'])
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'cancelled' })
  expect(space.entries().some(({ type }) => type === 'run.cancelled')).toBe(true)
  expect((await space.run(['resume', 'last'])).stderr).toContain('was cancelled and cleaned up')
})

test('resume --cancel of a run that was killed asks first what became of the step in doubt, then undoes', async () => {
  const space = workspace()
  space.write('cancellable.yaml', cancellable)
  const running = space.start(['exec', 'cancellable.yaml'])
  const pids = await untilItStays(space, running)
  running.child.kill('SIGKILL')
  await running.ended
  process.kill(-(pids[0] ?? 0), 'SIGKILL')
  const asked = await space.run(['resume', 'last', '--cancel'])
  expect(asked.code, asked.all).toBe(5)
  expect(space.effects()).toEqual(['mark done', 'mark long'])
  const ended = await space.run(['resume', 'last', '--answer', 'group/long!doubt=done'])
  expect(ended.code, ended.all).toBe(130)
  expect(space.effects()).toEqual(['mark done', 'mark long', 'mark tidy', 'mark undo'])
})

test('a signal that comes while the run waits between two looks ends it at once', async () => {
  const space = workspace()
  space.write(
    'polls.yaml',
    book(
      'polls',
      `steps:
${undone}  - id: wait
    action: local.run
    effect: read
    with: { command: echo not yet }
    until: { done: result.stdout.contains('ready'), failed: false, every: 10m, timeout: 1h }
`,
    ),
  )
  const running = space.start(['exec', 'polls.yaml', '--output', 'json'])
  await running.until('"step.polled"')
  running.child.kill('SIGINT')
  const { code, all } = await running.ended
  expect(code, all).toBe(130)
  expect(space.effects()).toEqual(['mark done', 'mark undo'])
})

test('a signal that comes before the first step changes nothing', async () => {
  const space = workspace()
  space.write('cancellable.yaml', cancellable)
  const running = space.start(['exec', 'cancellable.yaml', '--output', 'json'])
  running.child.kill('SIGSTOP')
  running.child.kill('SIGINT')
  running.child.kill('SIGCONT')
  const { code } = await running.ended
  // before the program listens the signal ends it, as it does any program
  expect([130, null]).toContain(code)
  expect(space.effects()).toEqual([])
})
