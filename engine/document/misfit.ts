import type { Code } from '../codes.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import type { Misfit } from '../schema.ts'
import type { Source } from '../source.ts'
import { idPattern, namePattern } from './grammar.ts'
import { problemAt } from './problem.ts'
import type { Located } from './tree.ts'
import { entryOf, nodeAt, spanAt } from './tree.ts'

export type MisfitCodes = { readonly [kind in Misfit['kind']]: Code }

const ofStructure: MisfitCodes = { unknown: 'RB1102', missing: 'RB1103', type: 'RB1104', value: 'RB1105' }

/** A misfit of a value as a diagnostic with the place of that value. `what` names the value in front of the message. */
export function diagnose(
  source: Source,
  root: Located,
  misfit: Misfit,
  codes: MisfitCodes = ofStructure,
  what?: string,
): Diagnostic {
  const { kind, path, field, allowed = [] } = misfit
  if (kind === 'unknown') {
    const span = entryOf(nodeAt(root, path), field ?? '')?.keySpan ?? spanAt(root, path)
    return problemAt(
      source,
      span,
      codes.unknown,
      misfit.message,
      didYouMean(field ?? '', allowed) ?? (allowed.length > 0 ? `known here: ${allowed.join(', ')}` : undefined),
    )
  }
  if (kind === 'value' && field !== undefined) {
    const span = entryOf(nodeAt(root, path), field)?.keySpan ?? spanAt(root, path)
    return problemAt(source, span, codes.value, `\`${field}\` ${misfit.message}`, mendedName(field, misfit.message))
  }
  const last = path.findLast((part) => typeof part === 'string')
  const whole = last === undefined ? 'this' : `\`${String(last)}\``
  const subject = what ?? (last !== undefined && typeof path.at(-1) === 'number' ? `an item of ${whole}` : whole)
  const message = kind === 'missing' ? misfit.message : `${subject} ${misfit.message}`
  const node = nodeAt(root, path)
  const typed = node.kind === 'scalar' ? String(node.value) : ''
  return problemAt(
    source,
    spanAt(root, path),
    codes[kind],
    message,
    kind === 'value'
      ? (didYouMean(typed, allowed) ?? mendedName(typed, misfit.message))
      : kind === 'type'
        ? (asCondition(path, node, misfit.message) ?? quoted(node, misfit.message))
        : undefined,
  )
}

/** A condition is written with `that`, since it may have a message. */
function asCondition(path: Misfit['path'], node: Located, message: string): string | undefined {
  const isOne =
    typeof path.at(-1) === 'number' &&
    ['verify', 'preconditions', 'conditions', 'guards', 'skip'].includes(String(path.at(-2)))
  return isOne && node.kind === 'scalar' && message.startsWith('must be a mapping')
    ? `write \`- that: ${String(node.value)}\``
    : undefined
}

/** YAML takes a bare `5` for a number and `true` for a truth value; in quotes they are texts. */
function quoted(node: Located, message: string): string | undefined {
  if (node.kind !== 'scalar' || !message.startsWith('must be a text, not ')) return undefined
  const { value } = node
  return typeof value === 'number' || typeof value === 'boolean' ? `write it in quotes: \`'${value}'\`` : undefined
}

/** A name that is nearly one, as it may be written. */
function mendedName(typed: string, message: string): string | undefined {
  const joint = message.includes(idPattern) ? '_' : message.includes(namePattern) ? '-' : undefined
  if (joint === undefined) return undefined
  const mended = typed
    .replaceAll(/([a-z0-9])([A-Z])/g, `$1${joint}$2`)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, joint)
    .replaceAll(/^[-_]+|[-_]+$/g, '')
  const rule = `lower case, digits and \`${joint}\``
  return new RegExp(joint === '_' ? idPattern : namePattern).test(mended)
    ? `write \`${mended}\`: ${rule}`
    : `a name is ${rule}, and begins with a letter`
}
