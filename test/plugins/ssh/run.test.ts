import { describe, expect, test } from 'vitest'
import {
  type ActionContext,
  asks,
  type Command,
  type CommandResult,
  type Effect,
  type WorkAction,
} from '../../../engine/action/contract.ts'
import { localDoor } from '../../../engine/host/local.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { actions as localActions } from '../../../plugins/local/index.ts'
import { actions as sshActions } from '../../../plugins/ssh/index.ts'
import { actions as systemdActions } from '../../../plugins/systemd/index.ts'
import { never, realClock } from '../../engine/host/ssh/harness.ts'

const work = (name: string): WorkAction => {
  const found = [...sshActions, ...systemdActions, ...localActions].find((action) => action.name === name)
  if (!found || asks(found)) throw new Error(`no action ${name}`)
  return found
}

/** A world in which every host is this machine; remembers what was asked. */
function world(effect: Effect = 'change') {
  const door = localDoor({ clock: realClock, env: { PATH: '/usr/bin:/bin' } })
  const asked: { host: string; command: Command }[] = []
  const secrets: string[] = []
  const exec = async (host: string, command: Command, signal: AbortSignal): Promise<CommandResult> => {
    asked.push({ host, command })
    return door.exec(command, signal)
  }
  const ctx = {
    effect,
    ssh: { exec },
    local: { exec: (command: Command, signal: AbortSignal) => exec('here', command, signal) },
    secrets: { add: (_: string, value: string) => secrets.push(value) },
  } as unknown as ActionContext
  const run = (name: string, params: JsonObject): Promise<Json> => work(name).run(ctx, params, never)
  return { run, asked, secrets, ctx }
}

describe.each([...sshActions, ...systemdActions].map(({ name }) => ({ name })))('$name', ({ name }) => {
  const action = work(name)

  test('takes its own examples', () => {
    for (const example of action.examples) expect(validatorOf(action.params)(example)).toEqual([])
  })

  test('describes every parameter', () => {
    const properties = action.params['properties'] as { readonly [name: string]: { description?: string } }
    expect(Object.values(properties).filter(({ description }) => !description)).toEqual([])
  })
})

const commands = ['ssh.run', 'ssh.script', 'local.run', 'local.script'].map((name) => ({ name }))
describe.each(commands)('$name', ({ name }) => {
  const action = work(name)

  test('lets the step say its effect, and is a change unless told', () => {
    expect(action).toMatchObject({ effect: 'change', effectFromStep: true, idempotent: false })
  })

  test('gives a result that fits its schema', async () => {
    const what = name.endsWith('run') ? { command: ['echo', 'a'] } : { script: 'echo a' }
    const result = await world().run(name, { ...what, ...(name.startsWith('ssh.') && { host: 'c1' }) })
    expect(validatorOf(action.result)(result)).toEqual([])
    expect(result).toMatchObject({ exit_code: 0, stdout: 'a\n', value: null, dropped: 0 })
  })
})

describe('a command of a step', () => {
  test('runs on its host', async () => {
    const { run, asked } = world()
    await expect(run('ssh.run', { host: 'c1', command: ['echo', 'x'] })).resolves.toMatchObject({
      host: 'c1',
      stdout: 'x\n',
    })
    expect(asked).toMatchObject([{ host: 'c1', command: { argv: ['echo', 'x'] } }])
  })

  test('without a host is refused', async () => {
    await expect(world().run('ssh.run', { command: ['true'] })).rejects.toMatchObject({ code: 'no_host' })
  })

  test('gets standard input, environment and folder', async () => {
    const params = { script: 'echo "$V $PWD $1"; cat', args: ['arg'], env: { V: 'v' }, directory: '/tmp', stdin: 'in' }
    await expect(world().run('local.script', params)).resolves.toMatchObject({ stdout: 'v /tmp arg\nin' })
  })

  test('with another exit code fails with the last lines of its stderr and all facts', async () => {
    const failed = world().run('ssh.script', { host: 'c1', script: 'echo out; seq 9 >&2; exit 3' })
    await expect(failed).rejects.toMatchObject({
      code: 'exit_code',
      status: 'failed',
      message: 'the command on c1 ended with exit code 3: 7\n8\n9',
      detail: { host: 'c1', exit_code: 3, stdout: 'out\n', stderr: '1\n2\n3\n4\n5\n6\n7\n8\n9\n', dropped: 0 },
    })
  })

  test('succeeds with the exit codes it names, and with any when it says so', async () => {
    await expect(world().run('local.script', { script: 'exit 3', exit_codes: [0, 3] })).resolves.toMatchObject({
      exit_code: 3,
    })
    await expect(world().run('local.script', { script: 'exit 9', exit_codes: 'any' })).resolves.toMatchObject({
      exit_code: 9,
    })
    await expect(world().run('local.script', { script: 'exit 0', exit_codes: [3] })).rejects.toMatchObject({
      code: 'exit_code',
    })
  })

  test('ended by a signal fails whatever exit codes are named', async () => {
    await expect(world().run('local.script', { script: 'kill -KILL $$', exit_codes: 'any' })).rejects.toMatchObject({
      code: 'exit_code',
      message: expect.stringContaining('SIGKILL'),
      detail: { exit_code: null, signal: 'SIGKILL' },
    })
  })
})

describe('what a command writes', () => {
  test.each([
    ['json', 'echo \'{"a": [1]}\'', { a: [1] }],
    ['lines', 'printf "a b\\n\\nc\\n"', ['a b', '', 'c']],
    ['lines', 'true', []],
    ['none', 'echo x', null],
  ])('is taken as %s', async (parse, script, value) => {
    await expect(world().run('local.script', { script, parse })).resolves.toMatchObject({ value })
  })

  test('that should be JSON and is not fails with its beginning', async () => {
    await expect(world().run('local.script', { script: 'echo Usage: foo', parse: 'json' })).rejects.toMatchObject({
      code: 'not_json',
      message: expect.stringContaining('`Usage: foo`'),
    })
  })

  test('that was cut is not taken for the whole', async () => {
    const params = { script: 'echo 1; echo 2', parse: 'lines', max_output: 2 }
    await expect(world().run('local.script', params)).rejects.toMatchObject({ code: 'output_cut' })
  })

  test.each([
    ['not_json', { script: 'echo Usage', parse: 'json' }],
    ['output_cut', { script: 'echo 1; echo 2', parse: 'lines', max_output: 2 }],
  ])(
    'and cannot be used (%s) fails a change that was made all the same, and a read that gave nothing',
    async (code, params) => {
      const failed = (effect: 'read' | 'change') =>
        world(effect)
          .run('local.script', params)
          .catch((error) => error)
      expect(await failed('change')).toMatchObject({ code, result: { exit_code: 0, value: null } })
      expect(await failed('read')).toMatchObject({ code, result: undefined })
    },
  )

  test('that was cut fails a read that has not said how much is enough; a change has happened, however much it wrote', async () => {
    const script = 'head -c 1048577 /dev/zero'
    await expect(world('read').run('local.script', { script })).rejects.toMatchObject({
      code: 'output_cut',
      message: expect.stringContaining('1 bytes longer'),
    })
    await expect(world('read').run('local.script', { script, max_output: 9 })).resolves.toMatchObject({
      dropped: 1_048_568,
    })
    const changed = await world('change').run('local.script', { script })
    expect(changed).toMatchObject({ dropped: 1 })
    expect(work('local.script').cut?.(changed, { script })).toEqual(['stdout', 'stderr'])
    expect(work('local.script').cut?.(changed, { script, max_output: 9 })).toEqual([])
  })

  test('and is secret is masked from then on, and in no message', async () => {
    const { run, secrets, asked } = world()
    await expect(run('local.script', { script: 'echo hunter22', secret_output: true })).resolves.toMatchObject({
      stdout: 'hunter22\n',
    })
    expect(secrets).toEqual(['hunter22'])
    expect(asked[0]?.command.secretOutput).toBe(true)
    const failure = await run('local.script', { script: 'echo hunter33 >&2; exit 1', secret_output: true }).catch(
      (error) => error,
    )
    expect(JSON.stringify([failure.message, failure.detail])).not.toContain('hunter33')
  })
})

test('a dry run says what would run, and where', async () => {
  const { ctx, asked } = world()
  const preview = await work('ssh.run').plan?.(ctx, { host: 'c1', command: ['systemctl', 'restart', 'x'] }, never)
  expect(preview).toEqual({ summary: 'would run `systemctl restart x` on c1', changes: [] })
  expect(asked).toEqual([])
})
