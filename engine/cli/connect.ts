import { resolve } from 'node:path'
import { reach, servicesOf } from '../../plugins/openstack/reach.ts'
import { StepFailure } from '../action/contract.ts'
import { registryOf } from '../action/registry.ts'
import { printable } from '../diagnostic.ts'
import type { Runbook } from '../document/runbook.ts'
import { everyStep } from '../document/runbook.ts'
import { mapToJson } from '../document/tree.ts'
import { exitCode } from '../error.ts'
import { performer } from '../host/perform.ts'
import { Redactor } from '../journal/redact.ts'
import type { Json, JsonObject } from '../json.ts'
import { isTemplate } from '../template/template.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { openSurroundings, type Surroundings } from './surroundings.ts'

const atOnce = 20

/** `check --connect`: reaches every host, and lets itself in to the clouds that the runbooks use, without running anything. */
export async function connect(
  runbooks: readonly Runbook[],
  io: Io,
  options: { readonly inventory?: string },
  signal: AbortSignal,
): Promise<number> {
  const path = options.inventory ?? configOf(io).inventory
  const surroundings = await openSurroundings(io, {
    inventory: path === undefined ? undefined : resolve(io.cwd, path),
    limit: undefined,
    rehearse: undefined,
    speed: undefined,
    effects: undefined,
  })
  let bad = 0
  const tell = (name: string, why: string | undefined, more = '') => {
    if (why !== undefined) bad++
    const said = why === undefined ? more : `: ${printable(why)}`
    io.stdout.write(`${why === undefined ? 'ok    ' : 'failed'} ${printable(name)}${said}\n`)
  }
  try {
    await reachHosts(surroundings, tell, signal)
    await reachClouds(runbooks, surroundings, tell, signal)
    return bad > 0 ? exitCode.usage : exitCode.done
  } finally {
    await surroundings.close()
  }
}

/** `why` is what is wrong; without it all is well, and there may be more to say. */
type Tell = (name: string, why: string | undefined, more?: string) => void

async function reachHosts({ doors, hosts }: Surroundings, tell: Tell, signal: AbortSignal): Promise<void> {
  const ssh = await doors.ssh({ onCall: () => undefined, onOutput: () => undefined })
  const all = hosts.matching('all')
  const queue = all.values()
  const worker = async () => {
    for (const { name } of queue) {
      const why = await ssh.exec(name, { argv: ['true'] }, signal).then(
        () => undefined,
        (error: unknown) => (error instanceof StepFailure ? hinted(error.message, error.hint) : String(error)),
      )
      tell(name, why)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, all.length) }, worker))
}

/** A cloud as steps name it, and what they need of it. */
interface Wanted {
  readonly cloud?: string
  readonly region?: string
  readonly services: ReadonlySet<string>
}

async function reachClouds(
  runbooks: readonly Runbook[],
  { doors, clouds, hosts }: Surroundings,
  tell: Tell,
  signal: AbortSignal,
): Promise<void> {
  const wanted = wantedBy(runbooks)
  const redactor = new Redactor()
  const registry = registryOf([reach])
  const perform = performer({ run: 'check', dry: true, registry, doors, clouds, hosts, redactor })
  const nothing: Wanted = { services: new Set() }
  for (const { services, ...choice } of wanted.length > 0 ? wanted : [nothing]) {
    const params = { ...choice, services: [...services].toSorted() }
    const about = { ...look, params }
    const attempt = { id: 'check', began: doors.clock.now() }
    const outcome = await perform('check', about, attempt, [reach.name, 'run', params], () => undefined, signal)
    // nobody uses a cloud and none is configured: nothing is missing
    if (wanted.length === 0 && 'error' in outcome && outcome.error.code === 'no_cloud') continue
    const { cloud: name, region } = choice
    const asked = `cloud${name === undefined ? '' : ` ${name}`}${region === undefined ? '' : ` in ${region}`}`
    if (outcome.status === 'succeeded') tellCloud(outcome.result as unknown as Reached, redactor, tell)
    else if ('error' in outcome) tell(asked, withHint(redactor, outcome.error.message, outcome.error.hint))
    else tell(asked, outcome.status)
  }
}

/** What is done is not part of a run: it only wants a name. */
const look = {
  step: 'check',
  name: 'check',
  action: reach.name,
  effect: 'read',
  repeatable: true,
  limits: [],
  shield: false,
} as const

interface Reached {
  readonly cloud: string
  readonly region: string | null
  readonly user: string
  readonly project: string | null
  readonly problems: readonly { readonly message: string; readonly hint: string | null }[]
}

function tellCloud({ cloud, region, user, project, problems }: Reached, redactor: Redactor, tell: Tell): void {
  const name = `cloud ${cloud}${region === null ? '' : ` in ${region}`}`
  for (const { message, hint } of problems) tell(name, withHint(redactor, message, hint ?? undefined))
  if (problems.length === 0) tell(name, undefined, `: let in as ${user}${project === null ? '' : ` of ${project}`}`)
}

function withHint(redactor: Redactor, message: string, hint: string | undefined): string {
  return redactor.text(hinted(message, hint))
}

const hinted = (message: string, hint: string | undefined): string =>
  hint === undefined ? message : `${message} (${hint})`

/** The clouds that the steps of the runbooks use; where an input names them, they are known when it runs. */
function wantedBy(runbooks: readonly Runbook[]): readonly Wanted[] {
  const found = new Map<string, { readonly choice: JsonObject; readonly services: Set<string> }>()
  for (const step of runbooks.flatMap(({ steps }) => [...everyStep(steps)])) {
    if (step.kind !== 'action' || !step.action.text.startsWith('openstack.')) continue
    const params = step.with?.kind === 'map' ? mapToJson(step.with) : {}
    const choice = fixed(params, ['cloud', 'region'])
    if (choice === undefined) continue
    const key = JSON.stringify(choice)
    const known = found.get(key) ?? { choice, services: new Set<string>() }
    found.set(key, known)
    for (const service of servicesOf(step.action.text, params)) if (!isTemplate(service)) known.services.add(service)
  }
  return [...found.values()].map(({ choice, services }) => ({ ...choice, services }))
}

function fixed(params: JsonObject, names: readonly string[]): JsonObject | undefined {
  const given: { [name: string]: Json } = {}
  for (const name of names) {
    const value = params[name]
    if (typeof value === 'string' && isTemplate(value)) return undefined
    if (value !== undefined) given[name] = value
  }
  return given
}
