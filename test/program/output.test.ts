import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { atTerminal } from './at-terminal.ts'
import { book, mark, workspace } from './program.ts'

const eventSchema = JSON.parse(readFileSync('schemas/event.schema.json', 'utf8')) as object
const fits = new Ajv2020({ strict: false, allErrors: true, validateFormats: false }).compile(eventSchema)

const lively = book(
  'lively',
  `locks: [here]
inputs:
  password: { type: string, description: A secret, secret: true, default: hunter22 }
steps:
${mark('one', { rest: 'echo hello; echo oops >&2' })}  - id: group
    block:
      - id: breaks
        action: local.run
        effect: read
        retry: { attempts: 2, delay: 10ms }
        with: { command: 'false' }
    rescue:
${mark('mend', { indent: 6 })}  - id: each
    for_each: "['a', 'b']"
    as: letter
    key: letter
    action: local.run
    with: { command: "echo {{ letter }}" }
  - id: polls
    action: local.script
    effect: read
    with: { script: 'echo x >> seen; wc -l < seen' }
    until: { done: int(result.stdout) == 2, failed: false, every: 10ms, timeout: 10s }
  - id: both
    parallel:
      - id: left
        let: { a: 1 + 1 }
      - id: right
        when: 1 == 2
        action: local.run
        with: { command: 'true' }
  - id: sure
    action: human.confirm
    with: { message: Go on? }
`,
)

test('every line of a transcript is as its schema says, and --output json is the same facts, one a line', async () => {
  const space = workspace()
  space.write('lively.yaml', lively)
  const types = new Set<string>()
  for (const args of [
    ['exec', 'lively.yaml'],
    ['resume', 'last', '--answer', 'sure=yes'],
    ['exec', 'lively.yaml', '--dry-run'],
  ]) {
    const { code, all, stdout } = await space.run([...args, '--output', 'json'])
    expect([0, 6], all).toContain(code)
    const events = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { seq?: number; replayed?: boolean })
    const told = new Map(events.filter(({ replayed }) => replayed !== true).map((event) => [event.seq, event]))
    for (const line of space.lines()) {
      const entry = JSON.parse(line) as { seq: number; type: string }
      types.add(entry.type)
      expect(fits(entry), `${line}\n${JSON.stringify(fits.errors)}`).toBe(true)
      const { prev: _prev, sum: _sum, redacted: _redacted, ...fact } = entry as unknown as { [name: string]: unknown }
      const same = told.get(entry.seq)
      if (same !== undefined || args[0] === 'exec') expect(same).toEqual(fact)
    }
    expect(told.size).toBeGreaterThan(2)
  }
  expect(types.size).toBeGreaterThan(12)
})

test('an event that is none does not fit the schema', () => {
  expect(fits({ type: 'step.began', at: '2026-01-01T00:00:00.000Z' })).toBe(false)
  expect(fits({ type: 'nonsense', at: '2026-01-01T00:00:00.000Z' })).toBe(false)
})

test('a reader that goes away early does not end the run', async () => {
  for (const form of ['plain', 'json']) {
    const space = workspace()
    space.write(
      'steps.yaml',
      book(
        'steps',
        `steps:\n${['one', 'two', 'three', 'four'].map((id) => mark(id, { rest: 'sleep 0.05' })).join('')}`,
      ),
    )
    const { all } = await space.shell(
      `set -o pipefail; runbook exec steps.yaml --output ${form} | head -1 >/dev/null; echo "codes \${PIPESTATUS[*]}"`,
    ).ended
    expect(all).toContain('codes 0 0')
    expect(space.effects()).toEqual(['mark one', 'mark two', 'mark three', 'mark four'])
    expect(space.entries().at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded' })
  }
})

test('the run goes to stdout, warnings and errors to stderr', async () => {
  const space = workspace()
  space.write('good.yaml', book('good', `steps:\n${mark('one')}`))
  const good = await space.run(['exec', 'good.yaml'])
  expect(good.stderr).toBe('')
  const bad = await space.run(['exec', 'nowhere.yaml'])
  expect(bad.stdout).toBe('')
  expect(bad.stderr).not.toBe('')
})

test('a pipe gets no colours, nor does a terminal whose owner wants none', async () => {
  const space = workspace()
  space.write('good.yaml', book('good', `steps:\n${mark('one')}`))
  expect((await space.run(['exec', 'good.yaml'])).stdout).not.toContain('\u001b')
  const plain = await atTerminal(space, ['exec', 'good.yaml', '--output', 'plain'], { NO_COLOR: '1' }).ended
  expect(plain.code, plain.all).toBe(0)
  expect(plain.all).not.toContain('\u001b[')
  const coloured = await atTerminal(space, ['exec', 'good.yaml', '--output', 'plain']).ended
  expect(coloured.all).toContain('\u001b[')
})

test('what a command writes cannot steer the terminal', async () => {
  const space = workspace()
  const evil = String.raw`printf '\033]0;owned\007\033[2J\033[31mred\r\bgone\302\233 \342\200\256\n'; exit 3`
  space.write(
    'evil.yaml',
    book('evil', `steps:\n  - id: evil\n    action: local.script\n    with: { script: ${JSON.stringify(evil)} }\n`),
  )
  for (const form of ['plain', 'live']) {
    const { code, all } = await atTerminal(space, ['exec', 'evil.yaml', '--verbose', '--output', form]).ended
    expect(code, all).toBe(1)
    expect(all).toContain('red')
    for (const raw of ['\u001b]0', '\u001b[2J\u001b[31mred', '\u0007', '\b', '\u009b', '\u202e'])
      expect(all).not.toContain(raw)
  }
  for (const format of ['text', 'markdown', 'html']) {
    const { stdout } = await space.run(['show', 'last', '--format', format])
    expect(stdout).toContain('red')
    for (const raw of ['\u001b', '\u0007', '\b', '\u009b']) expect(stdout, format).not.toContain(raw)
  }
})

test('the list of scenarios stands in two columns, however long a name is', async () => {
  const { code, stdout } = await workspace().run(['rehearse'])
  expect(code).toBe(0)
  const lines = stdout.split('\n').slice(0, -1)
  expect(new Set(lines.map((line) => line.length - line.replace(/^\S+ +/, '').length)).size).toBe(1)
})
