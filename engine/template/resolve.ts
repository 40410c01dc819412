import { didYouMean } from '../diagnostic.ts'
import type { Scope } from '../expression/expression.ts'
import { Unknown, unknownIn } from '../expression/unknown.ts'
import type { Json } from '../json.ts'
import { helperNamed, Unusable } from './helper-set.ts'
import type { HelperOperand, Operand, Path, PathOperand } from './part.ts'
import { TemplateError } from './problem.ts'

/** What stands at a level of `#each`; the outermost is the scope. */
export interface Level {
  readonly item: unknown
  /** Its path from the scope on, where it has one. */
  readonly path: Path | undefined
  readonly names: { readonly [name: string]: unknown }
  readonly index: number
  readonly key: string | number
  readonly last: boolean
  readonly outer: Level | undefined
}

export function scopeLevel(scope: Scope): Level {
  return { item: scope, path: [], names: {}, index: 0, key: 0, last: true, outer: undefined }
}

/** The value of what stands in braces. Throws `TemplateError` where it is missing. */
export function resolve(operand: Operand, level: Level): Json | Unknown {
  switch (operand.is) {
    case 'literal':
      return operand.value
    case 'path':
      return resolvePath(operand, level)
    case 'helper':
      return resolveHelper(operand, level)
  }
}

function resolvePath(operand: PathOperand, level: Level): Json | Unknown {
  const { value, path } = startOf(operand, level)
  return walk(value, path, operand, level)
}

function startOf({ from, up, name }: PathOperand, level: Level): { value: unknown; path: Path | undefined } {
  let at = level
  for (let left = from === 'root' ? Number.POSITIVE_INFINITY : up; left > 0 && at.outer; left--) at = at.outer
  switch (from) {
    case 'item':
    case 'root':
      return { value: at.item, path: at.path }
    case 'name':
      return { value: at.names[name ?? ''], path: Object.keys(at.names)[0] === name ? at.path : undefined }
    case 'index':
      return { value: at.index, path: undefined }
    case 'key':
      return { value: at.key, path: undefined }
    case 'first':
      return { value: at.index === 0, path: undefined }
    case 'last':
      return { value: at.last, path: undefined }
  }
}

function walk(start: unknown, base: Path | undefined, operand: PathOperand, level: Level): Json | Unknown {
  let value = start
  for (const [depth, part] of operand.path.entries()) {
    if (value instanceof Unknown) return value
    // own fields only: nothing of a prototype is ever seen
    const next =
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as { readonly [key: string]: unknown })[part]
        : undefined
    if (next === undefined) throw missing(value, depth, base, operand, level)
    value = next
  }
  return value as Json | Unknown
}

function missing(
  value: unknown,
  depth: number,
  base: Path | undefined,
  operand: PathOperand,
  level: Level,
): TemplateError {
  const { path: parts, start, end } = operand
  const name = String(parts[depth])
  const path = base && [...base, ...parts.slice(0, depth + 1)]
  const before = [...(operand.name ? [operand.name] : base?.length ? [...base] : []), ...parts.slice(0, depth)].join(
    '.',
  )
  if (before === '') {
    const hint = didYouMean(name, Object.keys((value ?? {}) as object))
    return new TemplateError(`nothing is called \`${name}\` here`, { start, end }, { hint, path })
  }
  if (value === null)
    return new TemplateError(
      `\`${before}\` is empty (\`null\`)`,
      { start, end },
      { hint: hintForDefault(operand), path },
    )
  if (typeof value !== 'object')
    return new TemplateError(`\`${before}\` has no fields, so no \`${name}\``, { start, end }, { path })
  const rooted = level.outer !== undefined && depth === 0 && Object.hasOwn(scopeOf(level), name)
  const hint = rooted
    ? `inside \`#each\` it is written \`@root.${operand.written}\``
    : (didYouMean(name, Object.keys(value as object)) ?? hintForDefault(operand))
  const what = Array.isArray(value)
    ? typeof parts[depth] === 'number'
      ? 'no item'
      : 'only numbered items, no'
    : 'no field'
  return new TemplateError(`\`${before}\` has ${what} \`${name}\``, { start, end }, { hint, path })
}

function hintForDefault({ written }: PathOperand): string {
  return `where it may be missing, write \`{{default ${written} "none"}}\``
}

function scopeOf(level: Level): object {
  let at = level
  while (at.outer) at = at.outer
  return at.item as object
}

function resolveHelper({ helper, args, start, end }: HelperOperand, level: Level): Json | Unknown {
  const known = helperNamed(helper)
  if (!known) throw new TemplateError(`no helper is called \`${helper}\``, { start, end })
  const [first] = args
  if (helper === 'default' && first) {
    const value = whereThere(first, level)
    if (value !== undefined && value !== null) return value
    return args[1] ? resolve(args[1], level) : null
  }
  const values = args.map((arg) => resolve(arg, level))
  const unknown =
    helper === 'length' ? values.find((value) => value instanceof Unknown) : values.map(unknownIn).find((each) => each)
  if (unknown) return unknown as Unknown
  try {
    return known.run(values as Json[])
  } catch (error) {
    if (error instanceof Unusable) throw unusable(error, { start, end }, first)
    throw error
  }
}

/** The value, or undefined where it is missing. */
function whereThere(operand: Operand, level: Level): Json | Unknown | undefined {
  try {
    return resolve(operand, level)
  } catch (error) {
    if (error instanceof TemplateError && operand.is === 'path') return undefined
    throw error
  }
}

/** What a value that cannot be used is called in a message. */
export function unusable(
  error: Unusable,
  place: { start: number; end: number },
  operand: Operand | undefined,
): TemplateError {
  const subject = operand?.is === 'path' ? `\`${operand.written}\`` : 'the value'
  return new TemplateError(`${subject} ${error.message}`, place, { hint: error.hint, cause: error })
}
