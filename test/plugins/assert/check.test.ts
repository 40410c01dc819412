import { expect, test } from 'vitest'
import type { CheckResult } from '../../../engine/run/event.ts'
import { outcomeOf, walk } from '../../support/engine.ts'

const runbook = `
apiVersion: runbook/v1
name: round
steps:
  - id: disks
    action: assert.check
    with:
      check: D1
      title: Disks have room
      runbook: tidy-up
      fail: [{ each: "['a']", key: full, message: "{{ item }} is full" }]
      unknown: [{ each: "['b']", key: silent, message: "{{ item }} does not answer" }]
`

test('what is broken names the runbook of its check, and what nobody could look at names none', async () => {
  const outcome = outcomeOf(await walk(runbook), 'disks')
  const { findings } = (outcome as unknown as { result: CheckResult }).result
  expect(findings.map(({ key, runbook }) => [key, runbook])).toEqual([
    ['D1/full', 'tidy-up'],
    ['D1/silent', undefined],
  ])
})
