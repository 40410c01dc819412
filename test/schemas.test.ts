/** The published schemas: what is generated is fresh, and what the program reads and writes fits them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { generatedSchemas } from '../engine/cli/generated-schemas.ts'
import { decode } from '../engine/document/decode.ts'
import { read } from '../engine/document/read.ts'
import { toJson } from '../engine/document/tree.ts'
import type { Json, Schema } from '../engine/json.ts'
import { validatorOf } from '../engine/schema.ts'
import { type Workspace, workspace } from './program/program.ts'

const published = (name: string) => JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8')) as Schema
const runbookSchema = published('runbook')
const spec = resolve('test/spec')
const all = readdirSync(spec, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'))

function documentOf(path: string): Json {
  const { value: source } = decode(path, readFileSync(path))
  const tree = source && read(source).value
  if (!tree) throw new Error(`${path} is no document`)
  return toJson(tree)
}

test.each(Object.entries(await generatedSchemas()))(
  'the schema of %s is what `npm run schemas` writes',
  (name, schema) => {
    expect(published(name)).toEqual(JSON.parse(JSON.stringify(schema)))
  },
)

test.each(readdirSync('schemas'))('%s says what it is, and where it is found', (file) => {
  const schema = JSON.parse(readFileSync(join('schemas', file), 'utf8')) as Schema
  expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema')
  expect(schema['$id']).toBe(`https://runbook.dev/schemas/${file}`)
  // whatever is said of it, it is said by a schema that could be compiled
  expect(() => validatorOf(schema)(undefined)).not.toThrow()
})

describe('the schema of runbooks', () => {
  const valid = [
    ...all.filter((name) => /\/passes.*\.yaml$/.test(name)).map((name) => join(spec, name)),
    ...readdirSync('runbooks')
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join('runbooks', name)),
    'docs/first.yaml',
  ]
  test.each(valid)('takes %s', (path) => {
    expect(validatorOf(runbookSchema)(documentOf(path))).toEqual([])
  })

  // codes that are about structure, and those of parameters, which an editor marks as well; what has merge keys is not read at all, a schema
  // does not say that another is one, nor of what type the value is that a template will give
  const structure = /^RB(1015|110[1-8]|1110|1202|1203|1205)-(?!merge-key|question|given).*\/fails.*\.yaml$/
  test.each(all.filter((name) => structure.test(name)))('refuses %s', (name) => {
    expect(validatorOf(runbookSchema)(documentOf(join(spec, name))).length).toBeGreaterThan(0)
  })
})

test('the schema of inventories takes those of the examples, and refuses a host without a mapping', () => {
  const schema = published('inventory')
  for (const name of all.filter((file) => /\/(inventory|mended)\.yaml$/.test(file))) {
    expect([name, validatorOf(schema)(documentOf(join(spec, name)))]).toEqual([name, []])
  }
  expect(validatorOf(schema)({ apiVersion: 'runbook/v1', hosts: ['ctl1'] }).length).toBeGreaterThan(0)
})

describe('what a run writes', () => {
  test('fits the schemas of the plan and of events, whatever happens in it', async () => {
    const at = workspace()
    at.write('part.yaml', part)
    at.write('inventory.yaml', inventory)
    at.write('everything.yaml', everything)
    const args = ['exec', 'everything.yaml', '--inventory', 'inventory.yaml', '--input', 'password=correct-horse']
    await at.run([...args, '--dry-run'])
    expect((await at.run(args)).code).toBe(6)
    const name = at.names().at(-1) ?? ''
    await at.run([
      'resume',
      name,
      '--yes',
      '--answer',
      'way=soft',
      '--answer',
      'word=cmp1',
      '--input',
      'password=correct-horse',
    ])
    const types = expectFit(at)
    expect([...everyType].filter((type) => !types.has(type))).toEqual([])
  })

  test('against a cloud fits too', async () => {
    const at = workspace()
    at.write('servers.yaml', servers)
    expect((await at.run(['exec', 'servers.yaml', '--rehearse', 'healthy'])).all).toContain('succeeded')
    expect(expectFit(at)).toContain('step.called')
  })

  test('and a line with a word that is not in the schema does not', () => {
    const line = { seq: 1, at: '2026-01-02T03:04:05.678Z', prev: '0'.repeat(64), sum: '0'.repeat(64) }
    const validate = validatorOf(published('event'))
    expect(validate({ type: 'run.cancelled', by: { user: 'ann', host: 'bastion' }, ...line })).toEqual([])
    expect(validate({ type: 'run.cancelled', by: { user: 'ann' }, ...line }).length).toBeGreaterThan(0)
    expect(
      validate({ type: 'run.cancelled', by: { user: 'ann', host: 'bastion' }, why: 'x', ...line }).length,
    ).toBeGreaterThan(0)
    expect(validate({ type: 'run.paused', ...line }).length).toBeGreaterThan(0)
  })
})

/** Checks every run of a workspace; gives the types of events that were seen. */
function expectFit(at: Workspace): ReadonlySet<string> {
  const types = new Set<string>()
  for (const name of at.names()) {
    const folder = join(at.runs, name)
    const plans = readdirSync(folder).filter((file) => /^plan-.*\.json$/.test(file))
    expect(plans.length).toBeGreaterThan(0)
    for (const plan of plans)
      expect(validatorOf(published('plan'))(JSON.parse(readFileSync(join(folder, plan), 'utf8')))).toEqual([])
    for (const line of readFileSync(join(folder, 'transcript.jsonl'), 'utf8').trimEnd().split('\n')) {
      const entry = JSON.parse(line) as { type: string }
      types.add(entry.type)
      expect({ line, misfits: validatorOf(eventSchema)(entry) }).toEqual({ line, misfits: [] })
    }
  }
  return types
}

const eventSchema = published('event')
const everyType = [
  'run.began',
  'run.parked',
  'run.resumed',
  'run.ended',
  'step.began',
  'step.called',
  'step.polled',
  'step.previewed',
  'step.retried',
  'step.ended',
  'condition',
  'asked',
  'answered',
  'locks.taken',
]

const inventory = `apiVersion: runbook/v1
hosts:
  silent: { address: 127.0.0.1, ssh: { port: 1 } }
`
const part = `apiVersion: runbook/v1
name: part
inputs:
  word: { type: string }
steps:
  - id: said
    action: local.run
    effect: read
    with: { command: "echo {{ inputs.word }}" }
outputs:
  said: steps.said.result.stdout
`
const servers = `apiVersion: runbook/v1
name: servers
steps:
  - id: servers
    action: openstack.server.list
  - id: services
    for_each: "['nova-compute', 'nova-scheduler']"
    key: item
    action: openstack.compute_service.list
    with: { binary: "{{ item }}" }
`
const everything = `apiVersion: runbook/v1
name: everything
inputs:
  password: { type: string, secret: true }
locks: [everything]
preconditions:
  - that: inputs.password != ''
    message: no password
steps:
  - id: each
    name: Say {{ item }}
    for_each: "['a', 'b', 'c']"
    key: item
    batches: [1, 2]
    guards:
      - that: "true"
    action: local.run
    effect: read
    with: { command: "echo {{ item }}" }
  - id: silent
    targets: silent
    on_failure: continue
    action: ssh.run
    effect: read
    with: { command: uptime }
  - id: tried
    on_failure: continue
    retry: { attempts: 2, delay: 10ms }
    action: local.run
    effect: read
    with: { command: "false" }
  - id: slow
    on_failure: continue
    timeout: 50ms
    action: local.run
    effect: read
    with: { command: sleep 2 }
  - id: waited
    action: local.script
    effect: read
    with: { script: 'echo x >> "$HOME/count"; test "$(wc -l < "$HOME/count")" -ge 4', exit_codes: any }
    until: { done: result.exit_code == 0, every: 10ms, timeout: 20s }
  - id: both
    parallel:
      - { id: left, action: local.run, effect: read, with: { command: "true" } }
      - { id: right, runbook: ./part.yaml, with: { word: right } }
  - id: passed
    when: inputs.password == ''
    let: { x: "1" }
  - id: secret
    action: local.script
    effect: read
    with: { script: 'echo "$WORD"', env: { WORD: "{{ inputs.password }}" } }
  - id: look
    action: assert.check
    with:
      check: C1
      title: Nothing is wrong
      fail: [{ each: "[1, 2]", key: "{{ item }}", message: "{{ item }} is wrong" }]
      unknown: [{ each: "steps.tried.result.stdout.split(',')", message: never seen }]
  - id: agree
    action: human.confirm
    with: { message: Go on?, table: [{ host: cmp1, servers: 3 }] }
  - id: way
    action: human.choose
    with: { message: How?, options: [{ value: soft, label: softly }, { value: hard, label: at once }] }
  - id: word
    action: human.input
    with: { message: Which host?, schema: { type: string } }
  - id: change
    action: local.run
    with: { command: "echo done" }
    rollback:
      - action: local.run
        with: { command: "echo undone" }
  - id: group
    block:
      - id: wrong
        action: local.run
        with: { command: "echo no" }
        verify:
          - that: result.stdout == 'yes'
            message: "it said {{ result.stdout }}"
    rescue:
      - id: why
        let: { text: failure.message }
    always:
      - id: tidy
        action: local.run
        with: { command: "true" }
  - id: last
    action: assert.that
    with: { conditions: [{ that: "1 > 2", message: it does not add up }] }
`
