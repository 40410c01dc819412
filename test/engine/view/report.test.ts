import { describe, expect, test } from 'vitest'
import type { ReportedStep } from '../../../engine/view/report.ts'
import { reportOf } from '../../../engine/view/report-of.ts'
import { bad, ok, sampleRun } from '../../support/sample-run.ts'
import { dryRun, inspection, longLoop, reboot } from '../../support/sample-runs.ts'

const stepOf = (steps: readonly ReportedStep[], key: string) => steps.find((step) => step.key === key)

describe('a run of changes', () => {
  const report = reportOf(reboot().entries())

  test('its tries are one step, with what each came to and what it took', () => {
    expect(stepOf(report.steps, 'service')).toMatchObject({
      status: 'succeeded',
      took: 2_140,
      tries: [{ attempt: 1, message: 'nova answered 503', delay: 2_000 }],
      calls: [{ status: 503 }, { status: 200, requestId: 'req-ab' }],
    })
    expect(report.steps.filter(({ step }) => step === 'service')).toHaveLength(1)
  })

  test('polls that saw the same stand once, with how often', () => {
    expect(stepOf(report.steps, 'reboot/back')?.polls).toMatchObject([
      { seen: 'unreachable: connection refused', times: 2 },
    ])
  })

  test('steps stand below the step they are part of, what undoes one below it', () => {
    expect(report.steps.map(({ key, depth }) => [key, depth])).toEqual([
      ['service', 0],
      ['drain', 0],
      ['drain[web-1]', 1],
      ['drain[web-1]!undo', 2],
      ['drain[web-1]!undo/1', 3],
      ['drain[db-1]', 1],
      ['confirm', 0],
      ['reboot', 0],
      ['reboot/go', 1],
      ['reboot/back', 1],
      ['reboot/tell', 1],
      ['enable', 0],
    ])
  })

  test('what a crash left in doubt is told with who settled it and how', () => {
    expect(report.doubts).toMatchObject([{ key: 'drain[db-1]', settled: { how: expect.stringContaining('li@jump2') } }])
    expect(stepOf(report.steps, 'drain[db-1]')).toMatchObject({ status: 'succeeded' })
    expect(stepOf(report.steps, 'drain[db-1]')?.error).toBeUndefined()
  })

  test('questions stand with their answers, conditions with their operands', () => {
    expect(stepOf(report.steps, 'confirm')?.questions).toMatchObject([{ answer: { by: 'li@jump2', value: true } }])
    expect(stepOf(report.steps, 'enable')?.conditions).toMatchObject([
      { held: false, evaluated: { operands: [{ text: 'result.status', value: 'disabled' }] } },
    ])
  })

  test('it says who resumed it, and how it came out', () => {
    expect(report).toMatchObject({
      status: 'rolled_back',
      exit: 1,
      resumes: [{ by: { user: 'li' } }],
      locks: ['compute/cmp3'],
    })
  })
})

describe('what nobody knows is not told as known', () => {
  const change = { action: 'ssh.run', effect: 'change' } as const

  test('a change that broke off stays in doubt', () => {
    const run = sampleRun()
      .step('restart', change, bad('connection_lost', 'the connection broke', 'unknown'))
      .add({ type: 'run.ended', status: 'failed', exit: 5, counts: {} })
    const { doubts } = reportOf(run.entries())
    expect(doubts).toMatchObject([{ key: 'restart', why: 'the connection broke' }])
    expect(doubts[0]?.settled).toBeUndefined()
  })

  test('looking whether it happened does not settle it, what is found does', () => {
    const cut = sampleRun()
      .begin('restart', change)
      .add({ type: 'run.resumed', by: { user: 'li', host: 'jump2' }, pid: 2, digest: 'd' })
      .end('restart', bad('in_doubt', 'no end', 'unknown'))
      .step('restart!settled', { action: 'ssh.run', effect: 'read' }, ok({ happened: 'yes' }))
    expect(reportOf(cut.entries()).doubts[0]?.settled).toBeUndefined()
    expect(reportOf(cut.entries()).steps).toHaveLength(1)
    const found = cut.end('restart', ok())
    expect(reportOf(found.entries()).doubts[0]?.settled?.how).toBe('taken as: ok')
  })

  test('a change that was made again after a crash says so', () => {
    const run = sampleRun()
      .begin('restart', change)
      .add({ type: 'run.resumed', by: { user: 'li', host: 'jump2' }, pid: 2, digest: 'd' })
      .step('restart!again', change, ok())
    expect(reportOf(run.entries()).doubts).toMatchObject([{ settled: { how: 'it was done again' } }])
  })

  test('a read that a crash cut off is no doubt', () => {
    const run = sampleRun()
      .begin('look', { action: 'ssh.run', effect: 'read' })
      .add({ type: 'run.resumed', by: { user: 'li', host: 'jump2' }, pid: 2, digest: 'd' })
    expect(reportOf(run.entries()).doubts).toEqual([])
  })

  test('a transcript that breaks off is not finished, and its open change has no end', () => {
    const report = reportOf(sampleRun().begin('restart', change).entries())
    expect(report.status).toBe('unfinished')
    expect(report.doubts).toMatchObject([{ why: 'no end of it is recorded' }])
    expect(report.steps).toMatchObject([{ status: 'running' }])
  })

  test('a run that ended, was resumed and broke off again is not ended', () => {
    const run = sampleRun()
      .add({ type: 'run.ended', status: 'failed', exit: 1, counts: {} })
      .add({ type: 'run.resumed', by: { user: 'li', host: 'jump2' }, pid: 2, digest: 'd' })
    expect(reportOf(run.entries())).toMatchObject({ status: 'unfinished' })
    expect(reportOf(run.entries()).exit).toBeUndefined()
  })
})

describe('an inspection', () => {
  const report = reportOf(inspection().entries())

  test('its findings are told by what became of them', () => {
    const keys = (findings: readonly { readonly key: string }[]) => findings.map(({ key }) => key)
    expect(keys(report.findings.fresh)).toEqual(['nova-compute@cmp3', 'ctl2', 'project/web'])
    expect(report.findings.persisting).toMatchObject([{ key: 'nova-compute@cmp2', days: 7 }])
    expect(keys(report.findings.resolved)).toEqual(['ctl1:/var'])
    expect(keys(report.findings.unseen)).toEqual(['ctl3'])
  })

  test('a check that was never reached is unknown, not left out', () => {
    expect(report.unchecked).toMatchObject([{ key: 'never-reached', verdict: 'unknown' }])
  })

  test('a check that failed to run makes the whole verdict unknown', () => {
    const run = sampleRun()
      .check('quota', 'pass')
      .step('disk', { action: 'assert.check', effect: 'read' }, bad('exit_code', 'df said no'))
      .add({ type: 'run.ended', status: 'succeeded', exit: 0, counts: {} })
    expect(reportOf(run.entries())).toMatchObject({
      verdict: 'unknown',
      unchecked: [{ key: 'disk', why: 'df said no' }],
    })
  })

  test('a check whose result is kept elsewhere is not passed over', () => {
    const run = sampleRun()
      .step('disk', { action: 'assert.check', effect: 'read' }, ok({ $file: 'sha256-aa.json', size: 70_000 }))
      .add({ type: 'run.ended', status: 'succeeded', exit: 0, counts: {} })
    expect(reportOf(run.entries())).toMatchObject({ verdict: 'unknown', unchecked: [{ key: 'disk' }] })
  })

  test.each([
    ['succeeded', ok(), []],
    ['was skipped', { status: 'skipped', why: 'there is no Ceph' } as const, [{ key: 'ceph/osd', verdict: 'skipped' }]],
    ['failed', bad('x', 'x'), [{ key: 'ceph/osd', verdict: 'unknown' }]],
  ])('a check without an execution, in a block that %s', (_, outcome, unchecked) => {
    const outline = [
      { step: 'ceph', name: 'Ceph', kind: 'block', depth: 0 },
      { step: 'ceph/osd', name: 'OSDs', kind: 'action', action: 'assert.check', depth: 1 },
    ] as const
    const run = sampleRun({ outline }).step('ceph', { kind: 'block' }, outcome)
    expect(reportOf(run.entries()).unchecked).toMatchObject(unchecked)
    expect(reportOf(run.entries()).unchecked).toHaveLength(unchecked.length)
  })

  test('a run without checks has no verdict', () => expect(reportOf(reboot().entries()).verdict).toBeUndefined())
})

test('a dry run holds what would be done, and no doubts', () => {
  const report = reportOf(
    dryRun()
      .end('disable', bad('not_done', 'a dry run does not do it', 'unknown'))
      .entries(),
  )
  expect(report.steps.map(({ key, status }) => [key, status])).toEqual([
    ['service', 'succeeded'],
    ['disable', 'previewed'],
    ['reboot', 'previewed'],
    ['back', 'previewed'],
  ])
  expect(report.doubts).toEqual([])
})

test('ten thousand items are folded, each once', () => {
  expect(reportOf(longLoop(10_000).entries()).counts).toEqual({ succeeded: 9_001, failed: 1_000 })
})

test('what does not begin with a run is refused', () => {
  expect(() => reportOf([])).toThrow(expect.objectContaining({ code: 'no_beginning' }))
})
