import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { workspace } from './program.ts'

test('a check too large for its line stands in the report as it was', async () => {
  const work = workspace()
  work.write(
    'large.yaml',
    `apiVersion: runbook/v1
name: large
steps:
  - id: read
    action: local.script
    effect: read
    with: { script: 'i=0; while [ $i -lt 3000 ]; do echo "thing number $i is broken in a way that takes words"; i=$((i + 1)); done', parse: lines }
  - id: check
    action: assert.check
    with:
      check: L1
      title: No thing is broken
      warn: [{ each: steps.read.result.value, key: "{{ item }}", message: "{{ item }}" }]
`,
  )
  const ended = await work.run(['exec', 'large.yaml', '--report', join(work.folder, 'report.json')])
  expect(ended.code, ended.all).toBe(0)
  expect(readdirSync(work.last()).filter((name) => name.startsWith('sha256-'))).toHaveLength(2)
  const shown = await work.run(['show', 'last'])
  expect(shown.stdout).toContain('thing number 2999 is broken')
  // and the next run knows all of them again
  const next = await work.run(['exec', 'large.yaml', '--output', 'json'])
  const began = JSON.parse(next.stdout.split('\n')[0] ?? '') as { previous?: { findings: readonly unknown[] } }
  expect(began.previous?.findings).toHaveLength(3000)
})
