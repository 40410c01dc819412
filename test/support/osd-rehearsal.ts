import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import type { RunEvent } from '../../engine/run/event.ts'
import { createClock } from '../../simulator/clock.ts'
import { createEstate } from '../../simulator/hosts/index.ts'
import { createRandom } from '../../simulator/random.ts'
import { loadScenario, readScenario } from '../../simulator/scenario.ts'
import { topologyOf } from '../../simulator/topology.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'osd-replacement-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '../..')
/** What the technician of a rehearsal reads from the label of the new disk, unless a scenario says otherwise. */
export const newSerial = 'ZC1TNEW7'

interface Replaced {
  readonly exit: number
  readonly said: string
  readonly events: readonly RunEvent[]
  /** What was done to the world, in order, from the outside: `ceph: osd out 4`. */
  readonly effects: readonly string[]
  /** The code and the message the run failed with. */
  readonly error: string
}

export interface Asked {
  /** `osd-replacement` unless told. */
  readonly runbook?: string
  readonly inputs?: { readonly [name: string]: string }
  /** Instead of the right answers, or besides them. */
  readonly answers?: { readonly [step: string]: string | undefined }
  readonly args?: readonly string[]
}

let count = 0

/** Replaces OSD 4 in the world of a scenario; whoever is asked says what is right unless the test says otherwise. */
export async function replace(
  scenario: string,
  { runbook = 'osd-replacement', inputs = {}, answers = {}, args = [] }: Asked = {},
): Promise<Replaced> {
  count += 1
  const home = join(folder, `home-${count}`)
  const file = join(folder, `effects-${count}.jsonl`)
  const all = {
    identity: `replace-osd-4-${(await serialOf(scenario, 4)).slice(-4)}`,
    ...(runbook === 'osd-replacement'
      ? { 'leave/last': 'yes', 'swap/new_serial': newSerial }
      : { last: 'yes', 'remove/new_serial': newSerial }),
    ...answers,
  }
  const words = [
    ...Object.entries({ osd_id: '4', admin_host: 'ceph1', poll: '4m', ...inputs }).flatMap(([name, value]) => [
      '--input',
      `${name}=${value}`,
    ]),
    ...Object.entries(all).flatMap(([step, value]) => (value === undefined ? [] : ['--answer', `${step}=${value}`])),
    ...['--rehearse', scenario, '--effects', file, '--output', 'json'],
    ...args,
  ]
  const { exit, stdout, stderr } = await runCli(['exec', runbook, ...words], { cwd, home })
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const end = events.at(-1)
  return {
    exit,
    said: stdout + stderr,
    events,
    effects: effectsIn(file),
    error: end?.type === 'run.ended' && end.error ? `${end.error.code}: ${end.error.message}` : '',
  }
}

function effectsIn(file: string): readonly string[] {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const { kind, what, detail } = JSON.parse(line) as {
      kind: string
      what: string
      detail?: { serial?: string; encrypted?: boolean; log?: string }
    }
    if (detail?.serial === undefined) return `${kind.replace(/^host\./, '')}: ${what}`
    const more = [detail.serial, ...(detail.encrypted ? ['encrypted'] : []), ...(detail.log ? [detail.log] : [])]
    return `${kind.replace(/^host\./, '')}: ${what} (${more.join(', ')})`
  })
}

/** What stands on the label of a disk, from the world itself and not from the runbook. */
export async function serialOf(name: string, id: number): Promise<string> {
  const scenario = readScenario(await loadScenario(name))
  const clock = createClock({ startAt: Date.now() })
  const { ceph, machines } = createEstate(topologyOf(scenario.topology), clock, createRandom(scenario.name))
  clock.close()
  const osd = ceph.osds.get(id)
  const disk = machines.get(osd?.host ?? '')?.disks.find((each) => each.name === osd?.disk)
  if (!disk) throw new Error(`osd.${id} has no disk`)
  return disk.serial
}

interface Fault {
  readonly fault: string
  readonly with?: object
  readonly after?: string
}

/** The folder of this test file, removed after it. */
export const place = (name: string): string => join(folder, name)

/** A small world in which the disk of OSD 4 fails, a technician is quick, and more is wrong. */
export const world = (name: string, ...more: readonly Fault[]): string => written(scenarioOf(name, more))

/** The same, made by cephadm. */
export const worldOfCephadm = (name: string, ...more: readonly Fault[]): string =>
  written(scenarioOf(name, more, { cephadm: true }))

function scenarioOf(name: string, more: readonly Fault[] = [], size: object = {}) {
  const faults: Fault[] = [
    { fault: 'ceph.disk_failing', with: { osd: 4 } },
    { fault: 'ceph.disk_swapped', with: { osd: 4, minutes: 1 } },
    ...more,
  ]
  const topology = { controllers: 1, computes: 1, databases: 1, servers: 2, ...size }
  return { apiVersion: 'runbook/v1', name, title: name, topology, faults }
}

function written(scenario: { readonly name: string }): string {
  const path = join(folder, `${scenario.name}.yaml`)
  writeFileSync(path, JSON.stringify(scenario))
  return path
}
