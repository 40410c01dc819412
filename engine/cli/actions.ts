import type { Action } from '../action/contract.ts'
import { asks } from '../action/contract.ts'
import { kindOf, kindWords } from '../action/params.ts'
import { didYouMean } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import type { Schema } from '../json.ts'
import { isObject } from '../json.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { loadRegistry } from './registry.ts'

/** `runbook actions`: what steps can do. */
export async function actions(name: string | undefined, io: Io): Promise<number> {
  const registry = await loadRegistry(configOf(io).plugins)
  const family = [...registry.values()].filter((action) => name === undefined || action.name.startsWith(`${name}.`))
  const one = name === undefined ? undefined : registry.get(name)
  if (one) io.stdout.write(describeAction(one))
  else if (family.length > 0) {
    const width = Math.max(...family.map((action) => action.name.length))
    for (const action of family)
      io.stdout.write(`${action.name.padEnd(width)}  ${effectOf(action).padEnd(12)}${action.summary}\n`)
  } else
    throw new RunbookError('no_action', `no action is called \`${name}\``, {
      hint: didYouMean(name ?? '', registry.keys()) ?? '`runbook actions` lists them',
    })
  return exitCode.done
}

function effectOf(action: Action): string {
  if (asks(action)) return 'asks'
  return action.effectFromStep ? `${action.effect}*` : action.effect
}

/** One action for people: parameters, result, an example. */
function describeAction(action: Action): string {
  const note = !asks(action) && action.effectFromStep ? ' unless the step says otherwise' : ''
  const example = action.examples[0]
  return [
    `${action.name}: ${action.summary}`,
    '',
    `effect: ${effectOf(action).replace('*', '')}${note}${!asks(action) && action.idempotent ? ', may be repeated' : ''}`,
    ...(action.description ? ['', action.description] : []),
    '',
    'with:',
    ...fields(action.params, 1),
    '',
    'result:',
    ...fields(action.result, 1),
    ...(example ? ['', 'example:', `  action: ${action.name}`, `  with: ${JSON.stringify(example)}`] : []),
    '',
  ].join('\n')
}

function fields(schema: Schema, depth: number): string[] {
  const properties = isObject(schema['properties']) ? (schema['properties'] as { readonly [name: string]: Schema }) : {}
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const lines = Object.entries(properties).flatMap(([name, part]) => {
    const type = typeOf(part)
    const optional = depth === 1 && !required.includes(name) ? ' (optional)' : ''
    const own = `${'  '.repeat(depth)}${name}: ${type}${optional}  ${String(part['description'] ?? '')}`.trimEnd()
    const inner = isObject(part['items']) ? (part['items'] as Schema) : part
    return [own, ...(depth < 3 ? fields(inner, depth + 1).filter((line) => !line.trim().startsWith('(')) : [])]
  })
  return lines.length > 0 || depth > 1 ? lines : ['  (nothing)']
}

function typeOf(schema: Schema): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map(String).join(' | ')
  const kind = kindOf(schema)
  if (kind !== 'plain') return kindWords[kind]
  if (schema['type'] === 'array')
    return `list of ${isObject(schema['items']) ? typeOf(schema['items'] as Schema) : 'anything'}`
  const type = schema['type'] ?? (schema['anyOf'] ? (schema['anyOf'] as Schema[]).map(typeOf).join(' or ') : 'anything')
  return Array.isArray(type) ? type.join(' or ') : String(type)
}
