import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { book, mark, type Workspace, workspace } from './program.ts'

const asked = `  - id: sure
    action: human.confirm
    with: { message: Go on? }
`
const steps = book('steps', `steps:\n${mark('one')}${asked}${mark('two')}`)

/** A run that waits at its second step. */
async function parked(text = steps): Promise<Workspace> {
  const space = workspace()
  space.write('steps.yaml', text)
  const { code, all } = await space.run(['exec', 'steps.yaml'])
  expect(code, all).toBe(6)
  return space
}

type Damage = (lines: string[], at: number) => string[]

const damages: { readonly [name: string]: { readonly change: Damage; readonly why: RegExp; readonly after?: number } } =
  {
    'a flipped byte': {
      change: (lines, at) => lines.with(at, flipped(lines[at] ?? '')),
      why: /its text does not match its sum/,
    },
    'a missing line': {
      change: (lines, at) => lines.toSpliced(at, 1),
      why: /it has the number \d+ where \d+ belongs/,
    },
    'a doubled line': {
      change: (lines, at) => lines.toSpliced(at, 0, lines[at] ?? ''),
      why: /it has the number \d+ where \d+ belongs/,
      after: 1,
    },
    'a foreign line': {
      change: (lines, at) => lines.toSpliced(at, 0, '{"type":"step.ended","key":"two"}'),
      why: /it carries no sum/,
    },
  }

function flipped(line: string): string {
  const at = Math.floor(line.length / 2)
  return `${line.slice(0, at)}${line[at] === 'x' ? 'y' : 'x'}${line.slice(at + 1)}`
}

/** A line that a missing last line would leave nothing of is only seen by what follows it. */
for (const [name, { change, why, after = 0 }] of Object.entries(damages)) {
  test(`${name} is named by verify wherever it stands, and such a run is not resumed`, async () => {
    const space = await parked()
    const path = join(space.last(), 'transcript.jsonl')
    const lines = space.lines()
    const places = name === 'a missing line' ? [0, 3, lines.length - 2] : [0, 3, lines.length - 1]
    for (const at of places) {
      writeFileSync(
        path,
        change(lines, at)
          .map((line) => `${line}\n`)
          .join(''),
      )
      const verified = await space.run(['verify', 'last'])
      expect(verified.code, verified.all).toBe(1)
      expect(verified.stdout).toContain(`broken: line ${at + after + 1} of ${basename(space.last())}: `)
      expect(verified.stdout).toMatch(why)
      const resumed = await space.run(['resume', 'last', '--answer', 'sure=yes'])
      expect(resumed.code, resumed.all).toBe(4)
      expect(resumed.stderr).toContain(`line ${at + after + 1} of the transcript is not what was written`)
      expect(space.effects()).toEqual(['mark one'])
    }
  })
}

test('a torn last line is no damage: verify says so, show leaves it out, and the run goes on after it', async () => {
  const space = await parked()
  const path = join(space.last(), 'transcript.jsonl')
  const whole = space.lines()
  appendFileSync(path, '{"seq":9999,"at":"2026-')
  const verified = await space.run(['verify', 'last'])
  expect(verified.code, verified.all).toBe(0)
  expect(verified.stdout).toContain(`whole: ${whole.length} lines`)
  expect(verified.stdout).toContain('the last line was not written to its end')
  expect((await space.run(['show', 'last'])).stderr).toContain('was not written to its end')
  const resumed = await space.run(['resume', 'last', '--answer', 'sure=yes'])
  expect(resumed.code, resumed.all).toBe(0)
  expect(space.effects()).toEqual(['mark one', 'mark two'])
  expect(space.lines().slice(0, whole.length)).toEqual(whole)
  expect((await space.run(['verify', 'last'])).stdout).toContain('ended succeeded')
})

test('what looks like a line but is not JSON is told as damage, not as a bug', async () => {
  const space = await parked()
  const path = join(space.last(), 'transcript.jsonl')
  for (const foreign of ['\0\0\0\0', `,"sum":"${'0'.repeat(64)}"}`, 'null', '[]']) {
    writeFileSync(path, `${[...space.lines().slice(0, 2), foreign].join('\n')}\n`)
    const { code, all } = await space.run(['verify', 'last'])
    expect(code, all).toBe(1)
    expect(all).toContain('broken: line 3')
    expect((await space.run(['runs'])).stdout).toContain('broken at line 3')
    writeFileSync(path, `${space.lines().slice(0, 2).join('\n')}\n`)
  }
})

test('a transcript without a whole line proves nothing, and is not called whole', async () => {
  const space = await parked()
  const [first = ''] = space.lines()
  for (const left of ['', first.slice(0, 40)]) {
    writeFileSync(join(space.last(), 'transcript.jsonl'), left)
    const { code, stdout } = await space.run(['verify', 'last'])
    expect(code, stdout).toBe(1)
    expect(stdout).toMatch(/^empty: /)
    expect(stdout).not.toContain('whole: ')
  }
  expect((await space.run(['resume', 'last', '--answer', 'sure=yes'])).code).toBe(2)
  expect(space.effects()).toEqual(['mark one'])
})

test('a damaged run is listed as such, and shown up to the damage with a warning', async () => {
  const space = await parked()
  const lines = space.lines()
  writeFileSync(join(space.last(), 'transcript.jsonl'), `${lines.with(3, flipped(lines[3] ?? '')).join('\n')}\n`)
  expect((await space.run(['runs'])).stdout).toContain('broken at line 4')
  const { code, stderr } = await space.run(['show', 'last'])
  expect(code).toBe(1)
  expect(stderr).toContain('line 4 of the transcript is not what was written')
})

const large = book(
  'large',
  `steps:
  - id: big
    action: local.script
    with: { script: 'echo "mark big" >> "$LOG"; head -c 200000 /dev/zero | tr "\\0" x' }
${asked}  - id: uses
    action: local.script
    with: { script: 'printf "%s" "$TEXT" | wc -c >> "$LOG"', stdin: "", env: { TEXT: "{{ steps.sure.result.by }}" } }
    when: size(steps.big.result.stdout) == 200000
`,
)

function keptFile(space: Workspace): string {
  const kept = readdirSync(space.last()).filter((name) => name.startsWith('sha256-'))
  expect(kept).toHaveLength(1)
  return join(space.last(), kept[0] ?? '')
}

test('a large result is kept beside the transcript by its digest, and a resumed run reads it from there', async () => {
  const space = await parked(large)
  expect(readFileSync(keptFile(space), 'utf8').length).toBeGreaterThan(200_000)
  expect(space.lines().filter((line) => line.includes('"$file"') && line.length < 2_000)).toHaveLength(1)
  const { code, all } = await space.run(['resume', 'last', '--answer', 'sure=yes'])
  expect(code, all).toBe(0)
  expect(space.effects()).toHaveLength(2)
})

test('a kept result that was changed or taken away is found by verify, and stops a resume', async () => {
  const space = await parked(large)
  const path = keptFile(space)
  const text = readFileSync(path, 'utf8')
  for (const damage of [() => writeFileSync(path, text.replace('xxxx', 'xxyx')), () => rmSync(path)]) {
    damage()
    const word = existsSync(path) ? 'not what was written' : 'missing'
    const verified = await space.run(['verify', 'last'])
    expect(verified.code, verified.all).toBe(1)
    expect(verified.stdout).toContain(word)
    const resumed = await space.run(['resume', 'last', '--answer', 'sure=yes'])
    expect(resumed.code, resumed.all).toBe(4)
    expect(resumed.stderr).toContain(word)
    expect(space.effects()).toEqual(['mark big'])
  }
})

test('a kept runbook that was changed is found by verify, and is not gone on with as recorded', async () => {
  const space = await parked()
  const plan = join(space.last(), readdirSync(space.last()).find((name) => name.startsWith('plan-')) ?? '')
  writeFileSync(plan, readFileSync(plan, 'utf8').replace('mark two', 'mark TWO'))
  const verified = await space.run(['verify', 'last'])
  expect(verified.code, verified.all).toBe(1)
  expect(verified.stdout).toContain('the runbook as it was, is not what was written')
  const resumed = await space.run(['resume', 'last', '--as-recorded', '--answer', 'sure=yes'])
  expect(resumed.code, resumed.all).toBe(4)
  expect(space.effects()).toEqual(['mark one'])
})
