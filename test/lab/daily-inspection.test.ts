import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CheckResult, RunEvent } from '../../engine/run/event.ts'
import { runCli } from '../support/run-cli.ts'
import { type Furniture, furnish } from './support/furniture.ts'
import { lab, readLab } from './support/lab.ts'
import { openCloud } from './support/openstack.ts'

const home = mkdtempSync(join(tmpdir(), 'lab-inspection-'))
const cwd = resolve(import.meta.dirname, '../..')
let furniture: Furniture

beforeAll(async () => {
  const signal = AbortSignal.timeout(300_000)
  furniture = await furnish(await openCloud('lab-admin', signal), signal)
})

afterAll(async () => {
  rmSync(home, { recursive: true, force: true })
  await furniture?.remove(AbortSignal.timeout(240_000))
})

/** Inspects the lab's cloud; of its network nodes one at a time serves a network. */
async function inspect(...args: string[]) {
  const env = { OS_CLIENT_CONFIG_FILE: lab.clouds, OS_CLOUD: 'lab-admin' }
  const all = ['exec', 'daily-inspection', '--output', 'json', '--input', 'dhcp_agents=1', ...args]
  const { exit, stdout, stderr } = await runCli(all, { cwd, home, env })
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const checks = events.flatMap((event) =>
    event.type === 'step.ended' && event.action === 'assert.check' && event.outcome.status === 'succeeded'
      ? [event.outcome.result as unknown as CheckResult]
      : [],
  )
  return { exit, stderr, events, checks }
}

const hostChecks = ['A22', 'A23', 'A24', 'A25', 'A26', 'A27', 'A28']

test('a real cloud passes every check of its APIs, and what needs hosts is unknown', async () => {
  const { exit, checks, stderr } = await inspect('--fail-on', 'fail')
  expect(stderr).toBe('')
  expect(exit).toBe(0)
  expect(checks).toHaveLength(25)
  for (const { check, verdict, findings } of checks) {
    if (hostChecks.includes(check)) expect({ check, verdict }).toEqual({ check, verdict: 'unknown' })
    // the routers of the lab are held by one agent each
    else
      expect({ check, verdict, findings }).toEqual({
        check,
        verdict: check === 'A9' ? 'skipped' : 'pass',
        findings: [],
      })
  }
})

test('what is unknown makes the exit code 1 unless it is forgiven', async () => {
  expect((await inspect('--fail-on', 'unknown')).exit).toBe(1)
})

test('a server that was made a moment ago is among those that are looked at', async () => {
  const { events } = await inspect()
  const servers = events.find((event) => event.type === 'step.ended' && event.step.endsWith('/servers'))
  expect(JSON.stringify(servers)).toContain(furniture.server)
})

test('real hosts tell their disks, units and kernel; one without chrony is unknown, and so is one that is not there', async () => {
  const rows = (await readLab(lab.hosts)).trim().split('\n')
  const addresses = rows.map((row) => row.split('\t')).filter(([name]) => /^h\d$/.test(name ?? ''))
  const folder = dirname(lab.hosts)
  const hosts = Object.fromEntries(
    [...addresses, ['gone', '10.77.0.250']].map(([name, address]) => [name, { address }]),
  )
  const ssh = {
    user: 'root',
    identity_file: join(folder, 'id_lab'),
    known_hosts: join(folder, 'known_hosts'),
    config: '/dev/null',
  }
  const inventory = join(home, 'inventory.yaml')
  writeFileSync(inventory, JSON.stringify({ apiVersion: 'runbook/v1', hosts, ssh }))

  const { checks } = await inspect('--inventory', inventory)
  const found = (key: string) => checks.find(({ check }) => check === key)
  expect(
    found('A27')
      ?.findings.filter(({ verdict }) => verdict === 'unknown')
      .map(({ key }) => key),
  ).toEqual(['A27/gone'])
  expect(found('A28')?.findings).toContainEqual(
    expect.objectContaining({
      key: `A28/${addresses[0]?.[0]}`,
      verdict: 'unknown',
      message: expect.stringMatching(/chronyc: not found/),
    }),
  )
})
