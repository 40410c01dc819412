import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { program } from '../../support/program.ts'

const kills = 200
const lanes = 2

/** Leaves its marks outside the process: `start NAME`, then a while, then `end NAME`. */
const touch = (id: string, extra = '') => `
  - id: ${id}
    action: local.script
    with: { script: 'echo "start $1" >> "$LOG"; sleep 0.02; echo "end $1" >> "$LOG"', args: [${id}], env: { LOG: "{{ inputs.log }}" } }${extra}`

const indent = (text: string) => text.replaceAll('\n', '\n    ')

const runbook = `apiVersion: runbook/v1
name: killed
inputs:
  log: { type: string, description: Where the marks go }
  fails: { type: boolean, description: Whether the run fails in the end and is undone }
steps:${touch(
  'first',
  `
    rollback:
      - action: local.script
        with: { script: 'echo "start undo_1" >> "$LOG"; sleep 0.02; echo "end undo_1" >> "$LOG"', env: { LOG: "{{ inputs.log }}" } }`,
)}
  - id: each
    for_each: "['a', 'b', 'c', 'd']"
    as: letter
    key: letter
    max_parallel: 2
    action: local.script
    with: { script: 'echo "start $1" >> "$LOG"; sleep 0.02; echo "end $1" >> "$LOG"', args: ["each-{{ letter }}"], env: { LOG: "{{ inputs.log }}" } }
  - id: both
    parallel:${indent(touch('left'))}
      - id: right
        block:${indent(indent(touch('right_one')))}${indent(indent(touch('right_two')))}
  - id: risky
    block:${indent(touch('before'))}
      - id: breaks
        action: local.run
        effect: read
        with: { command: 'false' }
    rescue:${indent(touch('mend'))}
    always:${indent(touch('tidy'))}
  - id: inner
    runbook: called
    with: { log: "{{ inputs.log }}" }${touch('last')}
  - id: fails
    when: inputs.fails
    action: local.run
    effect: read
    with: { command: 'false' }
`

const called = `apiVersion: runbook/v1
name: called
inputs:
  log: { type: string, description: Where the marks go }
steps:${touch('inside')}
`

const every = [
  'first',
  'each-a',
  'each-b',
  'each-c',
  'each-d',
  'left',
  'right_one',
  'right_two',
  'before',
  'mend',
  'tidy',
  'inside',
  'last',
]

/** A generator that always gives the same numbers for a seed: a failure can be looked at again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

function launch(
  args: readonly string[],
  cwd: string,
): { ended: Promise<number | null>; spoke: Promise<void>; kill: () => void; said: () => string } {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += String(chunk)))
  const spoke = new Promise<void>((done) => child.stdout.once('data', () => done()))
  return {
    spoke,
    ended: new Promise((done) => child.once('exit', (code) => done(code))),
    kill: () => child.kill('SIGKILL'),
    said: () => text,
  }
}

test(
  `a process killed ${kills} times at random moments: no change that ended runs twice, none in doubt runs again by itself`,
  async () => {
    const tally = { kills: 0, runs: 0, doubts: 0 }
    await Promise.all(Array.from({ length: lanes }, (_, lane) => keepKilling(random(20_261_121 + lane), tally)))
    expect(tally.kills).toBeGreaterThanOrEqual(kills)
    // the moments were such that they mattered: some runs went to their end, some steps were caught in the act
    expect(tally.runs).toBeGreaterThan(3)
    expect(tally.doubts).toBeGreaterThan(3)
  },
  20 * 60_000,
)

/** Most kills come after the run has told of itself, when its steps run; some while the program still starts. */
async function momentToKill({ spoke }: { spoke: Promise<void> }, next: () => number): Promise<void> {
  if (next() < 0.8) await spoke
  await sleep(next() * 500)
}

async function keepKilling(next: () => number, tally: { kills: number; runs: number; doubts: number }): Promise<void> {
  while (tally.kills < kills) {
    const folder = mkdtempSync(join(tmpdir(), 'runbook-kill-'))
    try {
      await oneRun(folder, next, tally)
      tally.runs++
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

async function oneRun(
  folder: string,
  next: () => number,
  tally: { kills: number; runs: number; doubts: number },
): Promise<void> {
  const log = join(folder, 'effects.log')
  const runs = join(folder, 'runs')
  writeFileSync(join(folder, 'killed.yaml'), runbook)
  writeFileSync(join(folder, 'called.yaml'), called)
  writeFileSync(log, '')
  const fails = tally.runs % 2 === 0
  let answers: string[] = []
  for (let round = 0; round < 200; round++) {
    const began =
      existsSync(runs) &&
      readdirSync(runs).some(
        (run) =>
          existsSync(join(runs, run, 'transcript.jsonl')) &&
          readFileSync(join(runs, run, 'transcript.jsonl'), 'utf8').includes('\n'),
      )
    const args = began
      ? ['resume', 'last', ...answers]
      : ['exec', 'killed.yaml', '--input', `log=${log}`, '--input', `fails=${fails}`]
    const process_ = launch([...args, '--runs', runs, '--output', 'plain'], folder)
    const wait =
      tally.kills < kills
        ? momentToKill(process_, next).then(() => 'late' as const)
        : new Promise<never>(() => undefined)
    const first = await Promise.race([process_.ended, wait])
    if (first === 'late') {
      process_.kill()
      await process_.ended
      tally.kills++
      // what the killed process had started goes on to its end, as it does on a real host
      await sleep(150)
      continue
    }
    const marks = readFileSync(log, 'utf8')
    // a kill may come after the last line: then there is nothing to resume
    if (first === 0 || (first === 1 && fails) || (first === 2 && /is done|was undone/.test(process_.said()))) {
      const starts = marks.split('\n').flatMap((line) => (line.startsWith('start ') ? [line.slice(6)] : []))
      expect(starts.toSorted(), process_.said()).toEqual([...every, ...(fails ? ['undo_1'] : [])].toSorted())
      return
    }
    // somebody has to say what became of the steps in doubt; nothing ran meanwhile
    expect(first, process_.said()).toBe(5)
    const open = [...process_.said().matchAll(/([\w[\]/~!-]+)!doubt/g)].flatMap(([, name]) =>
      name
        ? [
            {
              key: name,
              what: name
                // the last part names the step: `first!undo/undo_1` is about undo_1, not about first
                .replace(/^.*\//, '')
                .replace(/[~!].*$/, '')
                .replace(/^each\[(.)\]$/, 'each-$1'),
            },
          ]
        : [],
    )
    expect(open, process_.said()).not.toEqual([])
    answers = [...new Set(open.map(({ key }) => key))].flatMap((key) => {
      const what = open.find((each) => each.key === key)?.what ?? ''
      tally.doubts++
      const started = marks.includes(`start ${what}\n`)
      return ['--answer', `${key}!doubt=${started ? 'done' : 'again'}`]
    })
    await sleep(50)
    expect(readFileSync(log, 'utf8'), 'a parked run changes nothing').toBe(marks)
  }
  throw new Error('the run never came to its end')
}
