import { execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname, userInfo } from 'node:os'
import { basename } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { book, mark, workspace } from './program.ts'

const plugin = `
const text = (description) => ({ type: 'string', description })
export const actions = [{
  name: 'probe.get', summary: 'get', effect: 'read', examples: [{ url: 'http://localhost' }],
  params: { type: 'object', properties: { url: text('Where.') }, required: ['url'], additionalProperties: false },
  result: { type: 'object', properties: {}, required: [], additionalProperties: false },
  async run(ctx, { url }, signal) { await ctx.http({ method: 'GET', url }, signal); return {} },
}]
`

test('the transcript says who, where, when, what and with which outcome', async () => {
  const server = createServer((_, response) => {
    response.writeHead(203, { 'x-openstack-request-id': 'req-4711' }).end('{}')
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((done) => server.once('listening', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/things?all=1`
  const space = workspace()
  space.write('p.mjs', plugin)
  space.write('runbook.config.yaml', 'apiVersion: runbook/v1\nruns: ./runs\nplugins: [./p.mjs]\n')
  space.write('inventory.yaml', 'apiVersion: runbook/v1\nhosts:\n  c1: {}\n  c2: {}\n')
  space.write(
    'facts.yaml',
    book(
      'facts',
      `inputs:
  word: { type: string, description: A word }
  password: { type: string, description: A secret, secret: true }
steps:
  - id: command
    action: local.script
    with: { script: 'echo "said $W"; echo "to stderr" >&2', env: { W: "{{ inputs.word }}" } }
  - { id: call, action: probe.get, with: { url: "${url}" } }
  - id: hosts
    targets: all
    action: local.run
    effect: read
    with: { command: "echo {{ target.name }}" }
  - id: sure
    action: human.confirm
    with: { message: Go on? }
  - id: bad
    action: local.script
    effect: read
    with: { script: exit 9 }
`,
    ),
  )
  const before = Date.now()
  const { code, all } = await space.run(
    ['exec', 'facts.yaml', '--input', 'word=hello', '--inventory', 'inventory.yaml', '--answer', 'sure=yes'],
    { RUNBOOK_INPUT_PASSWORD: 'hunter22' },
  )
  expect(code, all).toBe(1)
  const entries = space.entries()
  const me = { user: userInfo().username, host: hostname() }
  expect(entries[0]).toMatchObject({
    type: 'run.began',
    run: basename(space.last()),
    mode: 'run',
    by: me,
    runbook: { name: 'facts', path: 'facts.yaml', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    inputs: { word: 'hello', password: '«password»' },
    hosts: ['c1', 'c2'],
  })
  for (const { at } of entries) {
    expect(new Date(at).toISOString()).toBe(at)
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before)
  }
  const calls = entries.flatMap((entry) => (entry.type === 'step.called' ? [{ key: entry.key, ...entry.call }] : []))
  expect(calls.find(({ key }) => key === 'command')).toMatchObject({
    kind: 'local',
    host: 'localhost',
    exitCode: 0,
    stdout: 'said hello\n',
    stderr: 'to stderr\n',
    took: expect.any(Number),
  })
  expect(calls.find(({ key }) => key === 'call')).toMatchObject({
    kind: 'http',
    method: 'GET',
    url,
    status: 203,
    requestId: 'req-4711',
    took: expect.any(Number),
  })
  expect(calls.find(({ key }) => key === 'bad')).toMatchObject({ exitCode: 9 })
  expect(
    entries.flatMap((entry) => (entry.type === 'step.began' && entry.target !== undefined ? [entry.target] : [])),
  ).toEqual(['c1', 'c2'])
  expect(entries.find(({ type }) => type === 'answered')).toMatchObject({
    key: 'sure',
    answer: { value: true, by: `${me.user}@${me.host}`, at: expect.any(String) },
  })
  const outcomes = Object.fromEntries(
    entries.flatMap((entry) => (entry.type === 'step.ended' ? [[entry.key, entry.outcome.status]] : [])),
  )
  expect(outcomes).toMatchObject({
    command: 'succeeded',
    call: 'succeeded',
    'hosts[c1]': 'succeeded',
    sure: 'succeeded',
    bad: 'failed',
  })
  expect(entries.at(-1)).toMatchObject({ type: 'run.ended', status: 'failed', exit: 1, error: { key: 'bad' } })
})

test('the transcript names the git commit of the runbook, and whether it was what is committed', async () => {
  const space = workspace()
  const git = (...words: string[]) =>
    execFileSync('git', ['-C', space.folder, '-c', 'user.name=x', '-c', 'user.email=x@localhost', ...words], {
      env: { ...space.env },
      encoding: 'utf8',
    }).trim()
  const text = book('kept', `steps:\n${mark('one')}`)
  space.write('kept.yaml', text)
  const runbookOf = async () => {
    const { code, all } = await space.run(['exec', 'kept.yaml'])
    expect(code, all).toBe(0)
    const [began] = space.entries()
    return began?.type === 'run.began' ? began.runbook : undefined
  }
  expect(await runbookOf()).not.toHaveProperty('commit')
  git('init', '--quiet')
  space.write('.gitignore', 'runs\nhome\nbin\nstate\ncache\neffects.log\n')
  git('add', '.')
  git('commit', '--quiet', '-m', 'x')
  const commit = git('rev-parse', 'HEAD')
  const clean = await runbookOf()
  expect(clean).toMatchObject({ commit, clean: true })
  space.write('kept.yaml', `${text}# a word more\n`)
  expect(await runbookOf()).toMatchObject({ commit, clean: false })
  git('checkout', '--quiet', 'kept.yaml')
  expect(await runbookOf()).toMatchObject({ commit, clean: true, digest: clean?.digest })
  const shown = await space.run(['show', 'last'])
  expect(shown.stdout).toContain(commit.slice(0, 7))
})

test('a run says of itself where it was resumed, and by whom', async () => {
  const space = workspace()
  space.write(
    'parks.yaml',
    book('parks', `steps:\n  - id: sure\n    action: human.confirm\n    with: { message: Go on? }\n`),
  )
  expect((await space.run(['exec', 'parks.yaml'])).code).toBe(6)
  expect(space.entries().at(-1)).toMatchObject({ type: 'run.parked', questions: [{ key: 'sure' }] })
  const running = space.start(['resume', 'last', '--answer', 'sure=yes'])
  expect((await running.ended).code).toBe(0)
  expect(space.entries().find(({ type }) => type === 'run.resumed')).toMatchObject({
    by: { user: userInfo().username },
    pid: running.child.pid,
  })
})

test('runs are listed oldest first, also those of one second, and the last is the last', async () => {
  const space = workspace()
  space.write('one.yaml', book('one', `steps:\n${mark('one')}`))
  const began: string[] = []
  for (let count = 0; count < 8; count++) {
    const { stdout } = await space.run(['exec', 'one.yaml'])
    began.push(/runbook show (\S+)/.exec(stdout)?.[1] ?? 'none')
  }
  const rows = JSON.parse((await space.run(['runs', '--output', 'json'])).stdout) as {
    run: string
    state: string
    began: string
    ms: number
  }[]
  expect(rows.map(({ run }) => run)).toEqual(began)
  expect(rows.every(({ state }) => state === 'succeeded')).toBe(true)
  // a program can compare when it was and how long it took; a person is told whose time it is
  expect(rows.every(({ began: at, ms }) => new Date(at).toISOString() === at && Number.isInteger(ms))).toBe(true)
  expect((await space.run(['runs'])).stdout.match(/ UTC /g)).toHaveLength(8)
  expect((await space.run(['show', 'last'])).stdout).toContain(began.at(-1))
})
