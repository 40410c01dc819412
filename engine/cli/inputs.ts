import { resolve } from 'node:path'
import type { Code } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { closest, didYouMean } from '../diagnostic.ts'
import { problemAt } from '../document/problem.ts'
import type { LocatedMap } from '../document/tree.ts'
import { spanAt, toJson } from '../document/tree.ts'
import type { Json, JsonObject, Schema } from '../json.ts'
import { isExact } from '../json.ts'
import type { PlannedRunbook } from '../plan/plan.ts'
import { validatorOf } from '../schema.ts'
import type { Source, Span } from '../source.ts'
import { Problems, readLocated, readSource, withoutText } from './yaml-file.ts'

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
      set(typedAt(`RUNBOOK_INPUT_${name.toUpperCase()}`, name), name, fromEnv, true)
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

  function problem({ source, span }: Given, code: Code, message: string, hint?: string): void {
    diagnostics.push(problemAt(source, span, code, message, hint))
  }

  function take(flag: string, pair: string): void {
    const at = pair.indexOf('=')
    const source = typedAt(flag, pair)
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
    const { source: read, tree } = readInputs(path)
    // no line of it is shown: whose value is a secret cannot be told
    if (tree.kind !== 'map') return void problem(typedAt(path, ''), 'RB3006', 'the file is not a mapping of inputs')
    const open = (name: string) => names.includes(name) && !runbook.secrets.includes(name)
    const source = withoutValues(read, tree, (name) => !open(name))
    for (const { key, keySpan, value } of tree.entries) {
      if (!known({ source, span: keySpan }, key) || Object.hasOwn(values, key)) continue
      set({ source, span: open(key) ? spanAt(tree, [key]) : keySpan }, key, toJson(value), false)
    }
  }

  /** Only the names of inputs are surely no secret. */
  function nameIn(line: string): string {
    const [name = ''] = /^[\w-]*:?/.exec(line) ?? []
    return names.some((known) => name === `${known}:`) ? name : ''
  }

  function readInputs(path: string): ReturnType<typeof readLocated> {
    try {
      return readLocated(path)
    } catch (error) {
      if (!(error instanceof Problems) || runbook.secrets.length === 0) throw error
      throw new Problems(error.diagnostics.map((problem) => withoutText(problem, nameIn)))
    }
  }

  function known(source: Given, name: string): boolean {
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
  function set(source: Given, name: string, written: Json, typed: boolean): void {
    const schema = runbook.inputs[name] ?? {}
    const value = typed ? typedValue(String(written), schema) : written
    const [misfit] = validatorOf(schema)(value)
    if (typed && typeof value === 'number' && !isExact(value, String(written)))
      problem(
        source,
        'RB3003',
        `the input \`${name}\` is too large to be exact`,
        'numbers are kept to 15 digits; what is longer is a text',
      )
    else if (misfit)
      problem(
        source,
        'RB3003',
        `the input \`${name}\` ${misfit.message}`,
        (typeof value === 'string' ? didYouMean(value, misfit.allowed ?? []) : undefined) ??
          (typed && [schema['type']].flat().includes('array') ? 'write `a,b`, or JSON: `["a","b"]`' : undefined) ??
          described(schema),
      )
    else if (runbook.secrets.includes(name) && isShort(value))
      problem(source, 'RB3005', `the secret \`${name}\` is shorter than four characters: it could not be hidden`)
    values[name] = value
  }

  /** A problem with a secret must not show it. */
  function hidden(given: Given, name: string): Given {
    return runbook.secrets.includes(name) ? typedAt(given.source.path, `${name}=…`) : given
  }
}

/** Where an input was given. */
interface Given {
  readonly source: Source
  readonly span: Span
}

/** On the command line or in the environment: the name is pointed at. */
function typedAt(path: string, text: string): Given {
  const at = text.indexOf('=')
  return { source: { path, text }, span: { start: 0, end: Math.max(1, at < 0 ? text.length : at) } }
}

/** The text of a file in which some values cannot be read: its lines are shown, and what has an unknown name may be a secret. */
function withoutValues(source: Source, tree: LocatedMap, hide: (name: string) => boolean): Source {
  let text = source.text
  for (const { key, value } of tree.entries) {
    if (!hide(key)) continue
    const { start, end } = value.span
    text = text.slice(0, start) + text.slice(start, end).replaceAll(/\S/g, '*') + text.slice(end)
  }
  return { path: source.path, text }
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

/** What is wrong with a secret that was typed, without showing it. */
export function faultOfSecret(text: string, schema: Schema): string | undefined {
  const value = typedValue(text, schema)
  const [misfit] = validatorOf(schema)(value)
  if (misfit) return `it ${misfit.message}`
  return isShort(value) ? 'it is shorter than four characters: it could not be hidden' : undefined
}

const isShort = (value: Json): boolean => typeof value === 'string' && value.length < 4

export function typedValue(text: string, schema: Schema): Json {
  const types = [schema['type']].flat()
  if (types.length === 0 || types.includes('string') || types.includes(undefined)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    // what begins as JSON was meant as JSON
    return types.includes('array') && !/^\s*[[{]/.test(text) ? text.split(',').map((item) => item.trim()) : text
  }
}

function described(schema: Schema): string | undefined {
  return typeof schema['description'] === 'string' ? schema['description'] : undefined
}
