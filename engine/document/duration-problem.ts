import type { Diagnostic } from '../diagnostic.ts'
import { parseDuration } from '../duration.ts'
import type { Source } from '../source.ts'
import { problemAt } from './problem.ts'
import type { Located } from './tree.ts'

/** Durations that are written wrong; one that a template gives is looked at when it is known. */
export function* durationProblems(source: Source, nodes: readonly (Located | undefined)[]): Generator<Diagnostic> {
  for (const node of nodes) {
    if (node?.kind !== 'scalar') continue
    if (typeof node.value === 'number') {
      yield problemAt(
        source,
        node.span,
        'RB1110',
        `\`${node.value}\` has no unit`,
        `write \`${node.value}s\` for seconds`,
      )
    } else if (
      typeof node.value === 'string' &&
      !node.value.includes('{{') &&
      parseDuration(node.value) === undefined
    ) {
      yield problemAt(
        source,
        node.span,
        'RB1110',
        `\`${node.value}\` is not a duration`,
        'write `30s`, `5m` or `1h30m`',
      )
    }
  }
}
