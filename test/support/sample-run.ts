/** Transcripts for tests of what reads them: built event by event, with times, numbers and a chain that holds. */
import { createHash } from 'node:crypto'
import type { CheckResult, Entry, Finding, Recorded, RunBegan, RunEvent, Verdict } from '../../engine/run/event.ts'
import type { Outcome } from '../../engine/run/outcome.ts'

type Began = Extract<Recorded, { type: 'step.began' }>
type StepFacts = Partial<Omit<Began, 'type' | 'key'>>

export interface SampleRun {
  /** Lets time pass. */
  after(ms: number): SampleRun
  add(...recorded: Recorded[]): SampleRun
  begin(key: string, facts?: StepFacts): SampleRun
  /** Ends what `begin` began, after some milliseconds. */
  end(key: string, outcome: Outcome, ms?: number): SampleRun
  step(key: string, facts: StepFacts, outcome: Outcome, ms?: number): SampleRun
  check(name: string, verdict: Verdict, findings?: readonly Partial<Finding>[], summary?: string): SampleRun
  entries(): readonly Entry[]
  events(): readonly RunEvent[]
}

export const ok = (result: Extract<Outcome, { status: 'succeeded' }>['result'] = null): Outcome => ({
  status: 'succeeded',
  result,
})
export const bad = (
  code: string,
  message: string,
  status: 'failed' | 'unreachable' | 'timed_out' | 'cancelled' | 'unknown' = 'failed',
): Outcome => ({ status, error: { code, message } })

export function sampleRun(began: Partial<Omit<RunBegan, 'type'>> = {}, start = '2026-11-21T08:16:30.000Z'): SampleRun {
  const kept: Entry[] = []
  const steps = new Map<string, Began>()
  let now = Date.parse(start)
  let prev = '0'.repeat(64)

  const run: SampleRun = {
    after(ms) {
      now += ms
      return run
    },
    add(...recorded) {
      for (const fact of recorded) {
        const entry: Entry = { ...fact, seq: kept.length, at: new Date(now).toISOString(), prev }
        prev = createHash('sha256').update(JSON.stringify(entry)).digest('hex')
        kept.push(entry)
      }
      return run
    },
    begin(key, facts = {}) {
      const step = key.replaceAll(/\[[^\]]*\]|~\d+|![^/]*/g, '')
      const event: Began = { type: 'step.began', key, step, kind: 'action', name: step, ...facts }
      steps.set(key, event)
      return run.add(event)
    },
    end(key, outcome, ms = 500) {
      const { step, kind, name, action } = steps.get(key) ?? { step: key, kind: 'action', name: key, action: undefined }
      run.after(ms)
      return run.add({ type: 'step.ended', key, step, kind, name, ...(action !== undefined && { action }), outcome })
    },
    step: (key, facts, outcome, ms) => run.begin(key, facts).end(key, outcome, ms),
    check(name, verdict, findings = [], summary = '') {
      const result: CheckResult = {
        check: name,
        title: name.replaceAll('-', ' '),
        verdict,
        summary,
        findings: findings.map((finding, index) => ({
          key: `${name}/${index}`,
          check: name,
          verdict,
          message: `${name} ${index}`,
          ...finding,
        })),
      }
      const plain = JSON.parse(JSON.stringify(result))
      return run.step(name, { action: 'assert.check', effect: 'read', name: result.title }, ok(plain), 20)
    },
    entries: () => kept,
    events: () => kept,
  }

  return run.add({
    type: 'run.began',
    format: 'runbook-transcript/1',
    run: '20261121-081630-k3f9',
    mode: 'run',
    engine: '0.1.0',
    semantics: 1,
    runbook: {
      name: 'compute-reboot',
      title: 'Reboot a compute node without losing a server',
      path: 'runbooks/compute-reboot.yaml',
      digest: '9f3c2a1be07d9f3c2a1be07d9f3c2a1be07d9f3c2a1be07d9f3c2a1be07d9f3c',
      commit: '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d',
      clean: true,
    },
    by: { user: 'wei', host: 'jump1' },
    pid: 4711,
    inputs: { host: 'cmp3' },
    hosts: ['cmp3'],
    outline: [],
    ...began,
  })
}
