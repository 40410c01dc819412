import { resolve } from 'node:path'
import type { Code } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { closest, didYouMean } from '../diagnostic.ts'
import { problemAt } from '../document/problem.ts'
import type { Json, JsonObject, Schema } from '../json.ts'
import type { PlannedRunbook } from '../plan/plan.ts'
import { validatorOf } from '../schema.ts'
import type { Source } from '../source.ts'
import { readSource, readYaml } from './yaml-file.ts'

/** Where inputs come from; the first that has one wins, and one source may not say the same thing twice. */
export interface InputSources {
  /** `name=value`, as typed. */
  readonly given: readonly string[]
  /** `name=path`: the value is what the file holds. */
  readonly fromFiles: readonly string[]
  /** The folder that paths begin in. */
  readonly cwd: string
  /** A YAML or JSON file with inputs by name. */
  readonly file?: string
  readonly env: { readonly [name: string]: string | undefined }
}

export interface GatheredInputs {
  readonly values: JsonObject
  /** Secrets that nobody gave; they may be asked for. */
  readonly missing: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** The inputs of a run: typed by their schemas, defaults filled in. Every problem is told. */
export function gatherInputs(runbook: PlannedRunbook, sources: InputSources): GatheredInputs {
  const values: { [name: string]: Json } = {}
  const diagnostics: Diagnostic[] = []
  /** Inputs that were given under a name that is nearly theirs: told once. */
  const meant = new Set<string>()
  const names = Object.keys(runbook.inputs)
  for (const [flag, pairs] of [
    ['--input', sources.given],
    ['--input-file', sources.fromFiles],
  ] as const) {
    for (const pair of pairs) take(flag, pair)
  }
  if (sources.file !== undefined) takeFile(sources.file)
  for (const name of names) {
    const fromEnv = sources.env[`RUNBOOK_INPUT_${name.toUpperCase()}`]
    if (!Object.hasOwn(values, name) && fromEnv !== undefined)
      set({ path: `RUNBOOK_INPUT_${name.toUpperCase()}`, text: name }, name, fromEnv, true)
  }
  const missing: string[] = []
  for (const [name, schema] of Object.entries(runbook.inputs)) {
    if (Object.hasOwn(values, name)) continue
    const fallback = schema['default'] as Json | undefined
    if (fallback !== undefined) values[name] = fallback
    else if (!meant.has(name)) missing.push(name)
  }
  // what could not be read may hold what seems to be missing
  return { values, missing: diagnostics.some(({ code }) => code === 'RB3006') ? [] : missing, diagnostics }

  function problem(source: Source, code: Code, message: string, hint?: string, start = 0): void {
    const end = Math.max(
      start + 1,
      source.text.indexOf('=', start) < 0 ? source.text.length : source.text.indexOf('=', start),
    )
    diagnostics.push(problemAt(source, { start, end }, code, message, hint))
  }

  function take(flag: string, pair: string): void {
    const at = pair.indexOf('=')
    const source = { path: flag, text: pair }
    if (at <= 0) return void problem(source, 'RB3006', `\`${pair}\` is not \`name=value\``)
    const name = pair.slice(0, at)
    const text = pair.slice(at + 1)
    if (!known(source, name)) return
    if (Object.hasOwn(values, name)) return void problem(source, 'RB3004', `the input \`${name}\` is given twice`)
    if (flag === '--input') return void set(hidden(source, name), name, text, true)
    const found = readSource(resolve(sources.cwd, text))
    if ('problem' in found) return void problem(source, 'RB3006', found.problem.message)
    set(hidden(source, name), name, found.source.text.replace(/\r?\n$/, ''), true)
  }

  function takeFile(path: string): void {
    const document = readYaml(path)
    if (typeof document !== 'object' || document === null || Array.isArray(document))
      return void problem({ path, text: '' }, 'RB3006', 'the file is not a mapping of inputs')
    for (const [name, value] of Object.entries(document)) {
      const source = { path, text: name }
      if (!known(source, name)) continue
      if (!Object.hasOwn(values, name)) set(source, name, value as Json, false)
    }
  }

  function known(source: Source, name: string): boolean {
    if (names.includes(name)) return true
    meant.add(closest(name, names) ?? '')
    problem(
      source,
      'RB3002',
      `\`${runbook.name}\` has no input \`${name}\``,
      didYouMean(name, names) ?? (names.length > 0 ? `it has: ${names.join(', ')}` : 'it has none'),
    )
    return false
  }

  /** What a person typed is read as the schema wants it; a value of a file has a type already. */
  function set(source: Source, name: string, written: Json, typed: boolean): void {
    const schema = runbook.inputs[name] ?? {}
    const value = typed ? typedValue(String(written), schema) : written
    const [misfit] = validatorOf(schema)(value)
    if (misfit)
      problem(
        source,
        'RB3003',
        `the input \`${name}\` ${misfit.message}`,
        (typeof value === 'string' ? didYouMean(value, misfit.allowed ?? []) : undefined) ?? described(schema),
      )
    else if (runbook.secrets.includes(name) && typeof value === 'string' && value.length < 4)
      problem(source, 'RB3005', `the secret \`${name}\` is shorter than four characters: it could not be hidden`)
    values[name] = value
  }

  /** A problem with a secret must not show it. */
  function hidden(source: Source, name: string): Source {
    return runbook.secrets.includes(name) ? { path: source.path, text: `${name}=…` } : source
  }
}

/** What is not there at all, after everybody who could be asked was asked. */
export function missingInputs(runbook: PlannedRunbook, missing: readonly string[]): readonly Diagnostic[] {
  return missing.map((name) => {
    const source = { path: runbook.name, text: name }
    const hint = runbook.secrets.includes(name)
      ? `set RUNBOOK_INPUT_${name.toUpperCase()}, or use \`--input-file ${name}=PATH\``
      : `add \`--input ${name}=…\`${described(runbook.inputs[name] ?? {}) ? `: ${described(runbook.inputs[name] ?? {})}` : ''}`
    return problemAt(source, { start: 0, end: name.length }, 'RB3001', `the input \`${name}\` is missing`, hint)
  })
}

function typedValue(text: string, schema: Schema): Json {
  const types = [schema['type']].flat()
  if (types.length === 0 || types.includes('string') || types.includes(undefined)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return types.includes('array') ? text.split(',').map((item) => item.trim()) : text
  }
}

function described(schema: Schema): string | undefined {
  return typeof schema['description'] === 'string' ? schema['description'] : undefined
}
