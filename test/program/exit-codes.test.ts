import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { book, mark, type Workspace, workspace } from './program.ts'

const confirm = `  - id: sure
    action: human.confirm
    with: { message: Go on? }
`
const parks = (last = 'two') => book('parks', `steps:\n${mark('one')}${confirm}${mark(last)}`)

async function parked(): Promise<Workspace> {
  const space = workspace()
  space.write('parks.yaml', parks())
  const { code, all } = await space.run(['exec', 'parks.yaml'])
  expect(code, all).toBe(6)
  return space
}

test('0: every step was done', async () => {
  const space = workspace()
  space.write('good.yaml', book('good', `steps:\n${mark('one')}`))
  const { code, all } = await space.run(['exec', 'good.yaml'])
  expect(code, all).toBe(0)
  expect(space.effects()).toEqual(['mark one'])
})

test('1: a step failed, those after it did not run, and the reason and the next command are told', async () => {
  const space = workspace()
  space.write(
    'bad.yaml',
    book('bad', `steps:\n${mark('one', { rest: 'echo "no such volume" >&2; exit 7' })}${mark('two')}`),
  )
  const { code, stdout } = await space.run(['exec', 'bad.yaml'])
  expect(code, stdout).toBe(1)
  expect(space.effects()).toEqual(['mark one'])
  expect(stdout).toContain('no such volume')
  expect(stdout).toMatch(/exit(ed with| code)? 7|with 7|code 7/)
  expect(stdout).toContain('runbook resume ')
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'failed', exit: 1 })
})

test('2: what is wrong with a runbook, an input or the usage is told with its place, and nothing was begun', async () => {
  const space = workspace()
  space.write(
    'wrong.yaml',
    book('wrong', `steps:\n${mark('one')}  - id: two\n    action: local.runn\n    with: { command: 'true' }\n`),
  )
  space.write(
    'needs.yaml',
    book('needs', `inputs:\n  host: { type: string, description: The host }\nsteps:\n${mark('one')}`),
  )
  mkdirSync(join(space.folder, 'nothing-here'))
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['exec', 'wrong.yaml'],
      ['wrong.yaml:9:13', 'local.runn', 'did you mean `local.run`?'],
    ],
    [['exec', 'missing.yaml'], ['missing.yaml']],
    [
      ['exec', 'needs.yaml'],
      ['the input `host` is missing', '--input host='],
    ],
    [
      ['exec', 'needs.yaml', '--input', 'hots=a'],
      ['has no input `hots`', 'did you mean `host`?'],
    ],
    [['exec', 'needs.yaml', '--input', 'host'], ['`host` is not `name=value`']],
    [['exec', 'needs.yaml', '--input', 'host=a', '--answer', 'sure'], ['`sure` is not `step=answer`']],
    [
      ['exec', 'needs.yaml', '--input', 'host=a', '--answer', 'on=yes'],
      ['there is no step `on`', 'did you mean `one`?'],
    ],
    [['exec', 'needs.yaml', '--inputs', 'nowhere.yaml'], ['nowhere.yaml']],
    [['exec', 'needs.yaml', '--input', 'host=a', '--speed', '3'], ['`--speed` is for rehearsals']],
    [['check', 'nothing-here'], ['no runbook is in the folder `nothing-here`']],
    [['exec', 'needs.yaml', '--input-file', 'host=nowhere'], ['nowhere']],
    [['exec', 'needs.yaml', '--input', 'host=a', '--inventory', 'nowhere.yaml'], ['nowhere.yaml']],
    [
      ['exec', 'needs.yaml', '--dryrun'],
      ['unknown option', '--dry-run'],
    ],
    [['exec'], ["missing required argument 'runbook'"]],
    [['resume', 'nothing'], ['there is no run `nothing`']],
    [['verify', 'last'], ['there is no run `last`']],
    [
      ['exce', 'x'],
      ['unknown command', 'exec'],
    ],
    [
      ['exec', 'needs.yaml', '--input', 'host=a', '--report', 'x.pdf'],
      ['x.pdf', '.html'],
    ],
  ]
  for (const [args, words] of cases) {
    const { code, stdout, stderr } = await space.run(args)
    expect(code, `${args.join(' ')}: ${stderr}${stdout}`).toBe(2)
    for (const word of words) expect(stderr, args.join(' ')).toContain(word)
    expect(stderr).not.toMatch(/ {4}at .*:\d+:\d+/)
    expect(space.effects(), args.join(' ')).toEqual([])
    expect(space.names(), args.join(' ')).toEqual([])
  }
})

test('2: a pipe that nobody writes to and a device that never ends are told, not waited for', async () => {
  const space = workspace()
  execFileSync('mkfifo', [join(space.folder, 'silent.yaml')])
  for (const [path, words] of [
    ['silent.yaml', 'it is a pipe, and nobody writes into it'],
    ['/dev/zero', 'it gives more than'],
    ['/dev/null', 'the file is empty'],
  ] as const) {
    const { code, stderr } = await space.run(['exec', path])
    expect(code, stderr).toBe(2)
    expect(stderr).toContain(words)
  }
})

test('a pipe with a writer is read to its end, however slowly it comes, and nothing of it is kept for the next check', async () => {
  const space = workspace()
  execFileSync('mkfifo', [join(space.folder, 'pipe.yaml')])
  space.write('good.yaml', book('good', `steps:\n${mark('one')}`))
  space.write('bad.yaml', 'apiVersion: runbook/v2\n')
  const slowly = (file: string) =>
    space.shell(
      `(sleep 0.2; head -c 20 ${file}; sleep 0.2; tail -c +21 ${file}) > pipe.yaml & exec runbook check pipe.yaml`,
    ).ended
  expect(await slowly('good.yaml')).toMatchObject({ code: 0, stdout: '1 runbook checked, no problems\n' })
  expect(await slowly('bad.yaml')).toMatchObject({ code: 2, stdout: expect.stringContaining('RB1101') })
  expect(await slowly('good.yaml')).toMatchObject({ code: 0, stdout: '1 runbook checked, no problems\n' })
})

test('3: a person said no', async () => {
  const space = await parked()
  const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=no'])
  expect(code, all).toBe(3)
  expect(space.effects()).toEqual(['mark one'])
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'refused', exit: 3 })
})

test('4: the runbook changed under the run; --as-recorded goes on with the old, --accept-changes with the new', async () => {
  for (const [flag, last] of [
    ['--as-recorded', 'mark two'],
    ['--accept-changes', 'mark other'],
  ] as const) {
    const space = await parked()
    space.write('parks.yaml', parks('other'))
    const refused = await space.run(['resume', 'last', '--answer', 'sure=yes'])
    expect(refused.code, refused.all).toBe(4)
    expect(refused.stderr).toContain('has changed since this run began')
    expect(refused.stderr).toContain('--as-recorded')
    expect(space.effects()).toEqual(['mark one'])
    const resumed = await space.run(['resume', 'last', '--answer', 'sure=yes', flag])
    expect(resumed.code, resumed.all).toBe(0)
    expect(space.effects()).toEqual(['mark one', last])
  }
})

test('4: a change to what was done already is not accepted, whatever is asked for', async () => {
  const space = await parked()
  space.write('parks.yaml', parks().replace('mark one', 'mark ONE'))
  const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=yes', '--accept-changes'])
  expect(code, all).toBe(4)
  expect(all).toContain('`one` was recorded with other parameters')
  expect(space.effects()).toEqual(['mark one'])
})

test('comments and blank lines are no change, and a runbook that is gone can be gone on with as recorded', async () => {
  const space = await parked()
  space.write('parks.yaml', `# a comment\n\n${parks().replace('steps:\n', 'steps:\n\n  # another\n')}`)
  const resumed = await space.run(['resume', 'last', '--answer', 'sure=yes'])
  expect(resumed.code, resumed.all).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('5: a change that began and did not end is told, asked about, and not repeated by itself', async () => {
  const space = workspace()
  space.write('dies.yaml', book('dies', `steps:\n${mark('one', { rest: 'kill -9 $PPID; sleep 300' })}${mark('two')}`))
  const died = await space.run(['exec', 'dies.yaml'])
  expect(died.code).toBe(null)
  expect((await space.run(['runs'])).stdout).toContain('stopped in the middle')
  const { code, all } = await space.run(['resume', 'last'])
  expect(code, all).toBe(5)
  expect(all).toContain('did `one`')
  expect(all).toMatch(/--answer '?one!doubt=done\|again\|abort'?/)
  expect(space.effects()).toEqual(['mark one'])
  const left = await space.run(['resume', 'last', '--answer', 'one!doubt=abort'])
  expect(left.code, left.all).toBe(1)
  expect(space.effects()).toEqual(['mark one'])
})

test('6: a question without anybody to answer parks the run, says with which words to answer, and never takes a yes for granted', async () => {
  const space = workspace()
  space.write('parks.yaml', parks())
  const { code, stdout } = await space.run(['exec', 'parks.yaml'])
  expect(code, stdout).toBe(6)
  const [run = ''] = space.names()
  expect(stdout).toContain(`runbook resume ${run} --answer sure=yes`)
  expect(space.effects()).toEqual(['mark one'])
  // asked again, it still waits and says for what; what was said in the meantime is nothing
  const again = await space.run(['resume', 'last'])
  expect(again.code).toBe(6)
  expect(again.stdout).toMatch(/questions +sure: /)
  expect((await space.run(['runs', '--open'])).stdout).toContain('waiting for an answer')
  const line = stdout.split('\n').find((text) => text.includes('--answer')) ?? ''
  const answered = await space.shell(line.slice(line.lastIndexOf('runbook resume'))).ended
  expect(answered.code, answered.all).toBe(0)
  expect((await space.run(['runs', '--open'])).stdout).toMatch(/^no run is open in /)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
})

test('the exit code is in the transcript, and is the one that the shell sees', async () => {
  const space = workspace()
  space.write('bad.yaml', book('bad', `steps:\n${mark('one', { rest: 'exit 7' })}`))
  const { code, stdout } = await space.shell('runbook exec bad.yaml >/dev/null; echo "code $?"').ended
  expect(code).toBe(0)
  expect(stdout).toBe('code 1\n')
  expect(readFileSync(join(space.last(), 'transcript.jsonl'), 'utf8')).toContain('"exit":1')
})
