import { expect, test } from 'vitest'
import type { Finding } from '../../engine/run/event.ts'
import { type Workspace, workspace } from './program.ts'

/** An inspection of the disks of all hosts, in a world in which that of `ctl2` is full. */
const inspection = `apiVersion: runbook/v1
name: disks
inputs:
  most: { type: integer, default: 90 }
  hosts: { type: string, default: all }
steps:
  - id: df
    targets: "{{ inputs.hosts }}"
    action: ssh.run
    effect: read
    with: { command: df -P -l, parse: lines }
  - id: room
    action: assert.check
    with:
      check: D1
      title: Disks have room
      fail:
        - each: >-
            steps.df.items.filter(host, host.result.value.exists(line, line.endsWith(' /') &&
            number(line.split('%')[0].split(' ').filter(word, word != '')[4]) > inputs.most))
          key: "{{ item.key }}"
          message: "{{ item.key }} is full"
`

async function inspect(space: Workspace, ...args: string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const ended = await space.run(['exec', 'disks.yaml', '--rehearse', 'host-disk-full', '--fail-on', 'unknown', ...args])
  expect([0, 1], ended.all).toContain(ended.code)
  const shown = JSON.parse((await space.run(['show', 'last', '--format', 'json'])).stdout) as {
    findings: Record<string, readonly Finding[]>
  }
  return Object.fromEntries(
    Object.entries(shown.findings).map(([state, found]) => [state, found.map(({ message }) => message)]),
  )
}

test('what an inspection of fewer hosts does not look at is not resolved by it, nor new for the next one of all', async () => {
  const space = workspace()
  space.write('disks.yaml', inspection)
  const full = 'ctl2 is full'
  expect(await inspect(space)).toMatchObject({ fresh: [full] })
  for (const less of [
    ['--limit', 'all,!ctl2'],
    ['--input', 'hosts=all,!ctl2'],
  ]) {
    expect(await inspect(space, ...less), less.join(' ')).toEqual({
      fresh: [],
      persisting: [],
      resolved: [],
      unseen: [],
    })
    expect(await inspect(space)).toMatchObject({ fresh: [], persisting: [full], resolved: [] })
  }
})

test('a run with --limit says on which hosts it runs, not which there are', async () => {
  const space = workspace()
  space.write('disks.yaml', inspection)
  const { stdout, all } = await space.run(['exec', 'disks.yaml', '--rehearse', 'healthy', '--limit', 'ctl*'])
  expect(stdout, all).toMatch(/^ +hosts +ctl1, ctl2, ctl3$/m)
  expect(space.entries()[0]).toMatchObject({ type: 'run.began', hosts: ['ctl1', 'ctl2', 'ctl3'] })
})

test('a step whose host --limit leaves out is not told that the inventory lacks it', async () => {
  const space = workspace()
  space.write('disks.yaml', inspection)
  const { code, all } = await space.run([
    ...['exec', 'disks.yaml', '--rehearse', 'healthy', '--limit', 'cmp*', '--input', 'hosts=ctl1'],
  ])
  expect(code, all).toBe(1)
  expect(all).toContain('`ctl1` names no host of this run')
  expect(all).toContain('of that, `--limit` takes only a part')
})
