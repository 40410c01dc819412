import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../engine/run/event.ts'
import { plainView } from '../../../engine/view/plain.ts'
import type { ViewOptions } from '../../../engine/view/view.ts'
import { bad, ok, sampleRun } from '../../support/sample-run.ts'
import { dryRun, hostile, inspection, longLoop, reboot } from '../../support/sample-runs.ts'

function shown(events: readonly RunEvent[], options: ViewOptions = {}): string {
  let text = ''
  const view = plainView({ write: (more) => (text += more) }, options)
  for (const event of events) view.on(event)
  return text
}

test('the first lines say what is run, by whom, from which commit and against what', () => {
  const text = shown(inspection().events())
  for (const fact of [
    'daily-inspection',
    '20261121-081630-k3f9',
    'wei@jump1',
    '2026-11-21 08:16:30 UTC',
    '1a2b3c4d5e6f',
    'not committed',
    'prod',
    'cmp1, cmp2',
  ])
    expect(text).toContain(fact)
})

test('a step is told with its time, key, name, outcome, tries and what it took', () => {
  expect(shown(reboot().events())).toMatch(/^08:16:32 {2}ok +service {2}Find the compute service \(2\.1s, 2 tries\)$/m)
})

test('what changes something is told when it begins, a read only when it ends', () => {
  const text = shown(reboot().events())
  expect(text).toMatch(/begins +reboot\/go .*\(destructive\)/)
  expect(text).not.toMatch(/begins +service/)
})

test('a condition that does not hold shows its operands', () => {
  const text = shown(reboot().events())
  expect(text).toContain('`result.status` was "disabled"')
  expect(text).not.toContain('size(result.services)')
})

test('a failed command shows its exit code and the end of its output', () => {
  const text = shown(reboot().events())
  expect(text).toContain('uptime -s, exit 255')
  expect(text).toContain('| ssh: connect to host cmp3 port 22: Connection refused')
  expect(text).toContain('hint: look at its console through the BMC')
})

test('a name and a command that are very long do not flood the terminal', () => {
  const long = 'a'.repeat(100_000)
  const run = sampleRun().begin('go', { name: long, effect: 'change' })
  run.add({
    type: 'step.called',
    key: 'go',
    call: { kind: 'local', host: 'here', command: `sh ${long}`, exitCode: 1, took: 3 },
  })
  const text = shown(run.end('go', bad('exit_code', 'it ended with exit code 1')).events())
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThan(3_000)
  expect(text).toContain('(100000 characters)')
  expect(text).toContain('exit 1 (3ms)')
})

test('polls that see the same again are not told again', () => {
  expect(shown(reboot().events()).match(/waits +reboot\/back/g)).toHaveLength(1)
})

test('a question says what it is decided on and how to answer', () => {
  const text = shown(reboot().events())
  expect(text).toContain('type `cmp3` to confirm, within 30m')
  expect(text).toMatch(/server +status +host\n +─+ +─+ +─+\n +web-1 +ACTIVE +cmp4\n/)
})

test('a run that waits for a person ends with the command that answers', () => {
  const question = { kind: 'confirm', message: 'Reboot?' } as const
  const run = sampleRun()
    .begin('confirm', { action: 'human.confirm' })
    .add({ type: 'asked', key: 'confirm', step: 'confirm', question })
    .add({ type: 'run.parked', questions: [{ key: 'confirm', question }] })
  expect(shown(run.events())).toContain('runbook resume 20261121-081630-k3f9 --answer confirm=yes')
})

test('verdicts are told with their findings, and a run that found something bad is not called a success', () => {
  const text = shown(inspection().events())
  expect(text).toMatch(/FAIL +compute-services {2}/)
  expect(text).toContain('✗ nova-compute on cmp2 is down, last seen 6 days ago  → runbook exec compute-reboot')
  expect(text).toContain('1 fail, 1 unknown, 1 warn, 1 pass, 1 skipped')
  expect(text).toContain('✗ daily-inspection finished, worst verdict FAIL')
  expect(text).not.toContain('daily-inspection succeeded')
})

test('a dry run shows what would be done, as it would be sent, and that nothing was', () => {
  const text = shown(dryRun().events())
  expect(text).toMatch(/would do +disable/)
  expect(text).toContain('- status: enabled')
  expect(text).toContain('+ status: disabled')
  expect(text).toMatch(/might do +reboot[\s\S]*not certain: its condition/)
  expect(text).toMatch(/would look +back/)
  expect(text).toContain('nothing was changed: 1 step would act, 1 more might')
})

describe('loops', () => {
  test('a short one tells every item', () => {
    expect(shown(longLoop(10).events()).match(/ok +all\[/g)).toHaveLength(9)
  })

  test('a long one tells counts, and each failure up to a point', () => {
    const text = shown(longLoop(1_000).events())
    expect(text).not.toMatch(/ok +all\[/)
    expect(text).toMatch(/so far +all {2}500 of 1000, 49 failed/)
    expect(text.match(/FAILED +all\[/g)).toHaveLength(20)
    expect(text).toMatch(/ok +all {2}.*100 failed\)/)
    expect(text).toContain('succeeded, though 100 of its parts did not')
  })
})

test('what nobody knows is named at the end, with the command to go on', () => {
  const run = sampleRun()
    .step('restart', { action: 'ssh.run', effect: 'change' }, bad('connection_lost', 'the connection broke', 'unknown'))
    .add({ type: 'run.ended', status: 'failed', exit: 5, counts: { unknown: 1 } })
  const text = shown(run.events(), { transcript: '/runs/x/transcript.jsonl' })
  expect(text).toMatch(/in doubt +restart/)
  expect(text).toContain('it may have happened or not')
  expect(text).toContain('runbook resume 20261121-081630-k3f9')
  expect(text).toContain('/runs/x/transcript.jsonl')
})

test('a run that was cancelled when a step had failed is not one to go on with', () => {
  const failed = () =>
    sampleRun().step('restart', { action: 'ssh.run', effect: 'change' }, bad('exit_code', 'it said 1'))
  const end = { type: 'run.ended', status: 'failed', exit: 1, counts: { failed: 1 } } as const
  expect(shown(failed().add(end).events())).toMatch(/next +runbook resume/)
  const cancelled = failed().add({ type: 'run.cancelled', by: { user: 'tess', host: 'here' } })
  expect(shown(cancelled.add(end).events())).toMatch(/next +runbook show/)
})

test('what a run gives is told a line each: the start of what is long, and what a dry run could not know as that', () => {
  const outputs = { verdict: 'DB_LIMIT', evidence: ['x'.repeat(5_000)], after: { $unknown: 'of `set`' } }
  const run = sampleRun().add({ type: 'run.ended', status: 'succeeded', exit: 0, counts: {}, outputs })
  expect(shown(run.events())).toContain(
    `  outputs    verdict   DB_LIMIT\n             evidence  ["${'x'.repeat(198)}… (5004 characters)\n             after     not known yet\n`,
  )
})

test('a resumed run does not tell again what is only replayed', () => {
  const before = sampleRun()
    .step('one', { effect: 'change' }, ok())
    .begin('two', { effect: 'change' })
    .add({ type: 'run.ended', status: 'failed', exit: 1, counts: {} })
    .events()
    .map((event) => ({ ...event, replayed: true }))
  const after = sampleRun().step('two', { effect: 'change' }, ok()).events().slice(1)
  const text = shown([...before, ...after])
  expect(text).not.toMatch(/ok +one/)
  expect(text).not.toContain('FAILED')
  expect(text).toMatch(/ok +two/)
})

test('while it is paused nothing is written, afterwards everything', async () => {
  let text = ''
  const view = plainView({ write: (more) => (text += more) })
  const [began, ...rest] = reboot().events()
  if (began) view.on(began)
  await view.pause()
  const before = text
  for (const event of rest) view.on(event)
  expect(text).toBe(before)
  view.resume()
  expect(text).toBe(shown(reboot().events()))
})

test('no text from outside reaches the terminal as more than text, nor as a line of its own', () => {
  const text = shown(hostile().events(), { verbose: true })
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  expect(text.split('\n').filter((line) => /^(\||#|```)/.test(line))).toEqual([])
})

test('colours only where they are asked for', () => {
  expect(shown(reboot().events())).not.toContain('\u001b')
  expect(shown(reboot().events(), { colour: true })).toContain('\u001b[32m')
})

test('a step that was cancelled before it began is not said to be so because of itself', () => {
  const error = { code: 'cancelled', message: 'the run was cancelled while it was asked', key: 'never' }
  const run = sampleRun().end('never', { status: 'cancelled', error })
  const text = shown(run.events())
  expect(text).toContain('the run was cancelled while it was asked')
  expect(text).not.toContain('because of')
})
