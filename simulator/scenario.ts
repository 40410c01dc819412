import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import type { Fault } from './fault.ts'
import { faults } from './faults.ts'
import { nearest } from './nearest.ts'
import { checkParameters } from './parameters.ts'
import type { TopologyOverrides } from './topology.ts'

/** A starting world and what goes wrong with it; `schemas/scenario.schema.json` describes the file. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly topology: TopologyOverrides
  readonly faults: readonly PlannedFault[]
  /** Runbook to check to verdict: what it should come to. */
  readonly expect: { readonly [runbook: string]: { readonly [check: string]: string } }
}

export interface PlannedFault {
  readonly fault: Fault
  /** Checked, with defaults. */
  readonly params: { readonly [name: string]: unknown }
  /** Milliseconds after the beginning, or after `once`; 0 of the beginning is before anybody looks. */
  readonly after: number
  /** The first change that begins so in the effect log: `openstack.server.live_migrate`, with or without what it changes. */
  readonly once?: string
}

/** A scenario that does not exist or says what cannot be. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError'
  readonly hint: string | undefined

  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.hint = options.hint
  }
}

/** The scenarios that come with the program. */
export function scenarioNames(): string[] {
  return readdirSync(shipped())
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/** Looked for upwards: the program may run from its sources or as one bundled file of the package. */
function shipped(): URL {
  for (let folder = new URL('.', import.meta.url); ; folder = new URL('..', folder)) {
    const found = new URL('simulator/scenarios/', folder)
    if (existsSync(found)) return found
    if (folder.pathname === '/') throw new Error('the package is not whole: its scenarios are missing')
  }
}

/**
 * Reads a scenario by its name, or by a path when it holds a `/` or ends in `.yaml`, and checks it.
 * Throws `ScenarioError` when there is none or it is wrong.
 */
export async function loadScenario(nameOrPath: string): Promise<unknown> {
  const isPath = nameOrPath.includes('/') || /\.ya?ml$/.test(nameOrPath)
  const names = scenarioNames()
  if (!isPath && !names.includes(nameOrPath)) {
    const near = nearest(nameOrPath, names)
    const hint = near ? `did you mean \`${near}\`?` : `there are ${names.map((name) => `\`${name}\``).join(', ')}`
    throw new ScenarioError(`there is no scenario \`${nameOrPath}\``, { hint })
  }
  const text = await readFile(isPath ? nameOrPath : new URL(`${nameOrPath}.yaml`, shipped()), 'utf8').catch((cause) => {
    throw new ScenarioError(`cannot read the scenario \`${nameOrPath}\``, {
      hint: 'give the name of a scenario, or the path of a file that can be read',
      cause,
    })
  })
  const document = parseDocument(text)
  const [broken] = document.errors
  if (broken)
    throw new ScenarioError(`\`${nameOrPath}\` is no YAML: ${broken.message.split('\n')[0]?.replace(/:$/, '')}`)
  const value: unknown = document.toJS()
  readScenario(value)
  return value
}

const fields = ['apiVersion', 'name', 'title', 'description', 'topology', 'faults', 'expect']

/** Checks what was read and finds its faults. Throws `ScenarioError`. */
export function readScenario(value: unknown): Scenario {
  if (!isObject(value)) throw new ScenarioError('a scenario must be a mapping with `name` and `faults`')
  const name = String(value['name'] ?? '')
  const wrong = (what: string, hint?: string) => new ScenarioError(`scenario \`${name}\`: ${what}`, { hint })
  for (const field of Object.keys(value)) {
    if (fields.includes(field)) continue
    const near = nearest(field, fields)
    throw wrong(`there is no field \`${field}\``, near && `did you mean \`${near}\`?`)
  }
  if (value['apiVersion'] !== 'runbook/v1') throw wrong('`apiVersion` must be `runbook/v1`')
  const planned = value['faults'] ?? []
  if (!Array.isArray(planned)) throw wrong('`faults` must be a list')
  return {
    name,
    title: String(value['title'] ?? name),
    description: String(value['description'] ?? ''),
    topology: topologyIn(value['topology'], wrong),
    faults: planned.map((entry) => plannedFault(entry, wrong)),
    expect: (value['expect'] ?? {}) as Scenario['expect'],
  }
}

const isHostName = (name: unknown): boolean => typeof name === 'string' && /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/.test(name)

type Wrong = (what: string, hint?: string) => ScenarioError

const counts = ['controllers', 'computes', 'ceph', 'databases', 'osds_per_host', 'servers']

function topologyIn(value: unknown, wrong: Wrong): TopologyOverrides {
  if (value === undefined) return {}
  if (!isObject(value)) throw wrong('`topology` must be a mapping')
  for (const [field, number] of Object.entries(value)) {
    if (field === 'region') continue
    if (field === 'cephadm') {
      if (typeof number === 'boolean') continue
      throw wrong('`topology.cephadm` must be `true` or `false`')
    }
    if (!counts.includes(field)) {
      throw wrong(
        `the topology has no \`${field}\``,
        `it has ${['region', 'cephadm', ...counts].map((one) => `\`${one}\``).join(', ')}`,
      )
    }
    if (field === 'computes' && Array.isArray(number)) {
      const names = new Set(number)
      if (number.length > 0 && names.size === number.length && number.every(isHostName)) continue
      throw wrong('`topology.computes` must be a number, or a list of different host names')
    }
    const least = field === 'servers' || field === 'ceph' || field === 'osds_per_host' ? 0 : 1
    if (!Number.isInteger(number) || (number as number) < least) {
      throw wrong(`\`topology.${field}\` must be a whole number from ${least} on`)
    }
  }
  return value as TopologyOverrides
}

function plannedFault(entry: unknown, wrong: Wrong): PlannedFault {
  if (!isObject(entry) || typeof entry['fault'] !== 'string') throw wrong('each of `faults` needs a `fault`')
  for (const field of Object.keys(entry)) {
    if (!['fault', 'with', 'after', 'once'].includes(field))
      throw wrong(`a fault has \`fault\`, \`with\`, \`once\` and \`after\`, no \`${field}\``)
  }
  const fault = faults.find(({ name }) => name === entry['fault'])
  if (!fault) {
    const names = faults.map(({ name }) => name)
    const near = nearest(entry['fault'], names)
    throw wrong(
      `there is no fault \`${entry['fault']}\``,
      near ? `did you mean \`${near}\`?` : `there are ${names.join(', ')}`,
    )
  }
  const given = entry['with'] ?? {}
  if (!isObject(given)) throw wrong(`\`with\` of \`${fault.name}\` must be a mapping`)
  const { params, problems } = checkParameters(fault.params, given)
  if (problems.length > 0) throw wrong(`\`${fault.name}\`: ${problems.join('; ')}`)
  const { once } = entry
  if (once !== undefined && (typeof once !== 'string' || !/^\S+\.\S+( \S.*)?$/.test(once)))
    throw wrong(`\`once\` must be a change as the effect log tells it, like \`openstack.server.stop\`, not \`${once}\``)
  return {
    fault,
    params,
    after: entry['after'] === undefined ? 0 : durationIn(entry['after'], wrong),
    ...(once !== undefined && { once: once as string }),
  }
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function durationIn(value: unknown, wrong: Wrong): number {
  const text = String(value)
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text))
    throw wrong(`\`after\` must be a duration like \`90s\` or \`1h30m\`, not \`${text}\``)
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) total += Number(number) * units[unit as 's']
  return total
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
