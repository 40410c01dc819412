import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll } from 'vitest'
import type { RunEvent } from '../../engine/run/event.ts'
import { runCli } from './run-cli.ts'

export const home = mkdtempSync(join(tmpdir(), 'max-connections-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

export const cwd = resolve(import.meta.dirname, '../..')
export const folder = '/etc/mysql/mariadb.conf.d'
export const file = `${folder}/zz-openstack-connections.cnf`
export const dropIn = '/etc/systemd/system/mariadb.service.d/zz-connections.conf'
export const nodes = ['db1', 'db2', 'db3']

interface Raised {
  readonly exit: number
  readonly stderr: string
  readonly events: readonly RunEvent[]
  /** What was done to the world, in order: `set_global db1 4000`, `restart db2`, `move db1:/etc/…`, `maint ctl1:galera/db2`. */
  readonly effects: readonly string[]
  /** For each restart, the other nodes that were Synced as it began. */
  readonly synced: readonly (readonly string[])[]
  /** What somebody was asked. */
  readonly asked: string
  /** Every question, in order. */
  readonly questions: readonly string[]
  readonly status: string
  readonly error: string
  readonly outputs: unknown
  /** What nobody has answered, when the run is parked for that. */
  readonly waitsFor: readonly { readonly key: string; readonly message: string }[]
}

let worlds = 0

/** Runs it in a scenario, with the answers of somebody who agrees. */
export async function raise(scenario: string, inputs: object, ...args: string[]): Promise<Raised> {
  worlds += 1
  const effects = join(home, `effects-${worlds}.jsonl`)
  const given = join(home, `inputs-${worlds}.json`)
  writeFileSync(
    given,
    JSON.stringify({ backup_hours: 3, soak_seconds: 5, sync_seconds: 60, watch_minutes: 1, ...inputs }),
  )
  const agreed = ['--answer', 'mend/agreed=openstack', '--answer', 'mend/restarts=yes']
  const all = ['exec', 'mariadb-max-connections', '--rehearse', scenario, '--effects', effects, '--inputs', given]
  // a run that is parked holds its locks
  const own = { cwd, home: join(home, `home-${worlds}`) }
  const { exit, stdout, stderr } = await runCli([...all, '--output', 'json', ...agreed, ...args], own)
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const ended = events.at(-1)
  if (ended?.type !== 'run.ended' && ended?.type !== 'run.parked') throw new Error(`the run did not end: ${stderr}`)
  const narrow = events.find((event) => event.type === 'step.ended' && event.step === 'mend/narrow')
  const shown = narrow?.type === 'step.ended' && narrow.outcome.status === 'succeeded' ? narrow.outcome.result : {}
  const { message: asked = '' } = shown as { readonly message?: string }
  const waitsFor =
    ended.type === 'run.parked' ? ended.questions.map(({ key, question }) => ({ key, message: question.message })) : []
  const { status, error, outputs } = ended as unknown as Pick<Raised, 'status' | 'outputs'> & {
    readonly error?: { readonly message: string }
  }
  const done = readEffects(effects)
  const synced = done.flatMap(({ kind, detail }) =>
    kind === 'host.unit.restart' ? [detail?.['synced'] as readonly string[]] : [],
  )
  const questions = events.flatMap((event) => (event.type === 'asked' ? [event.question.message] : []))
  const common = { questions, exit, stderr, events, effects: done.map(inShort), synced, asked }
  return { ...common, status, error: error?.message ?? '', outputs, waitsFor }
}

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [name: string]: unknown }
}

function readEffects(path: string): readonly Effect[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as Effect)
}

function inShort({ kind, what, detail }: Effect): string {
  const short = what.replace(':mariadb.service', '')
  if (kind === 'host.mariadb.set_global') return `set_global ${short} ${String(detail?.['max_connections'])}`
  if (kind === 'host.haproxy.set_server') return `${String(detail?.['state'])} ${short}`
  return `${kind.replace(/^host\.(unit|file|systemd)\./, '')} ${short}`
}

export const of = ({ effects }: Raised, ...kinds: string[]) =>
  effects.filter((effect) => kinds.includes(effect.split(' ')[0] ?? ''))
export const verdict = ({ events }: Raised) =>
  events.flatMap((event) =>
    event.type === 'step.ended' && event.step === 'diagnose/goal' && event.outcome.status === 'succeeded'
      ? [(event.outcome.result as { readonly verdict: string }).verdict]
      : [],
  )[0]
export const starts = (raised: Raised) => of(raised, 'restart', 'start', 'stop')

/** A scenario of these tests alone. */
export function world(name: string, faults: readonly object[], more: object = {}): string {
  const path = join(home, `${name}.yaml`)
  const topology = { controllers: 1, computes: 1, ceph: 3, servers: 2, ...more }
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, topology, faults }))
  return path
}
