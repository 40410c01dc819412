import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { RunEnded, RunEvent } from '../../engine/run/event.ts'
import { residentsOf } from '../../simulator/openstack/population.ts'
import { topologyOf } from '../../simulator/topology.ts'
import { runCli } from './run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'compute-reboot-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '../..')

/** A host `c1` whose name begins that of another one, and two more. */
export const small = { controllers: 1, computes: ['c1', 'c10', 'c2', 'c3'], ceph: 0, databases: 1, servers: 16 }
export const onHost = (topology: typeof small) =>
  residentsOf(topologyOf(topology)).flatMap(({ host, name, stopped }) => (host === 'c1' ? [{ name, stopped }] : []))
export const [first = '', second = '', third = ''] = onHost(small).map(({ name }) => name)
export const stopped = onHost(small).find((server) => server.stopped)?.name ?? ''

export const canary = { image: 'debian-12', flavor: 'g1.tiny', networks: [] }

export interface Effect {
  readonly at: string
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [key: string]: unknown }
}

export interface Ran {
  readonly exit: number
  readonly stdout: string
  readonly end: RunEnded
  readonly effects: readonly Effect[]
  /** Kind and what, without the id in it. */
  readonly did: readonly string[]
}

interface World {
  /** `compute-reboot` unless told. */
  readonly runbook?: string
  /** One that ships, instead of a world of its own. */
  readonly scenario?: string
  readonly topology?: typeof small
  readonly faults?: readonly object[]
  readonly inputs?: { readonly [name: string]: unknown }
  /** These inputs and no others. */
  readonly only?: { readonly [name: string]: unknown }
  readonly answers?: readonly string[]
  readonly flags?: readonly string[]
  /** Where its runs are kept, and its locks. */
  readonly at?: string
}

let worlds = 0

/** One run in a world of its own, and what it wrote. */
export async function run({ runbook = 'compute-reboot', scenario, topology = small, faults = [], ...more }: World) {
  const { inputs = {}, answers = [], flags = [], at = home } = more
  const name = `world-${++worlds}`
  const path = (end: string) => join(home, `${name}.${end}`)
  writeFileSync(path('yaml'), JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, topology, faults }))
  const all = { host: 'c1', reason: 'CHG-1', check_platform: false, reserve_ratio: 0, spare_host: false, ...inputs }
  writeFileSync(path('inputs.json'), JSON.stringify(more.only ?? all))
  const words = ['exec', runbook, '--rehearse', scenario ?? path('yaml'), '--effects', path('effects')]
  const given = answers.flatMap((answer) => ['--answer', answer])
  const output = flags.includes('--dry-run') ? [] : ['--output', 'json']
  const { exit, stdout, stderr } = await runCli(
    [...words, '--inputs', path('inputs.json'), ...given, ...output, ...flags],
    { cwd, home: at },
  )
  const effects = readFileSync(path('effects'), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Effect]))
  const lines = output.length === 0 ? [] : stdout.split('\n').filter((line) => line !== '')
  return { exit, stdout, stderr, effects, events: lines.map((line) => JSON.parse(line) as RunEvent) }
}

/** A run to its end. The host is agreed to unless told otherwise. */
export async function reboot({ answers = ['enter/agree=c1'], ...world }: World) {
  const { exit, stdout, stderr, effects, events } = await run({ answers, ...world })
  const did = effects.map(({ kind, what }) => `${kind} ${what.replace(/ \(.*\)$/, '')}`)
  const end = events.at(-1)
  if (stdout.startsWith('{') ? end?.type !== 'run.ended' : exit !== 0)
    throw new Error(`the run did not end: ${stderr}${JSON.stringify(end)}`)
  return { exit, stdout, end: end as RunEnded, effects, did } satisfies Ran
}

const homeOfItsOwn = () => join(home, `home-${++worlds}`)

/** What is asked first of those who give no answers. The run waits, and holds its locks. */
export async function question({ at = homeOfItsOwn(), ...world }: World) {
  const { events, stderr } = await run({ at, ...world })
  const end = events.at(-1)
  const [asked] = end?.type === 'run.parked' ? end.questions : []
  if (!asked) throw new Error(`nothing was asked: ${stderr}${JSON.stringify(end)}`)
  return { address: asked.key, ...asked.question }
}

export const count = ({ did }: Ran, what: string) => did.filter((one) => one === what).length
export const rebooted = (ran: Ran) => count(ran, 'host.reboot c1')

/** That each lock, stop and disabling is followed by its undoing, and that nothing else is left changed. */
export function allGivenBack(ran: Ran): void {
  const last = new Map<string, string>()
  for (const { kind, what } of ran.effects) {
    // a unit that is enabled starts with its host
    if (kind === 'host.reboot') last.delete(`unit ${what}:nova-compute.service`)
    const [, group] = /(lock|stop|start|able|unit)/.exec(kind) ?? []
    if (group)
      last.set(`${{ lock: 'lock', stop: 'power', start: 'power', able: 'service', unit: 'unit' }[group]} ${what}`, kind)
  }
  expect([...last.values()].filter((kind) => /\.(lock|stop|disable)$/.test(kind))).toEqual([])
}

export const timeOf = ({ effects }: Ran, kind: string) => Date.parse(effects.find((one) => one.kind === kind)?.at ?? '')

/** The management board of `c1`, asked on a controller. */
export const boardAt = (address: string) => `ipmitool -I lanplus -H ${address} -U admin -f /root/ipmi`.split(' ')
export const byBoard = { board: [...boardAt('10.79.0.21'), 'chassis', 'power'], board_on: 'ctl1', reboot_minutes: 5 }
