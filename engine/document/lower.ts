import type { Checked, Diagnostic } from '../diagnostic.ts'
import { didYouMean } from '../diagnostic.ts'
import type { Schema } from '../json.ts'
import { validatorOf } from '../schema.ts'
import type { Source, Span } from '../source.ts'
import { durationProblems } from './duration-problem.ts'
import type { WrittenKind } from './grammar.ts'
import { allWords, conditionSchema, shallowRootSchema, shallowStepSchema, stepKinds, wordsOf } from './grammar.ts'
import { inputsOf } from './input.ts'
import { diagnose } from './misfit.ts'
import { problemAt } from './problem.ts'
import type { Condition, Loop, Named, Runbook, Step, Text, Until } from './runbook.ts'
import type { Located, LocatedMap } from './tree.ts'
import { childOf, entriesOf, entryOf, firstOf, itemsOf, mapToJson, toJson } from './tree.ts'

/** A located tree as a runbook. What is wrong in its structure is told; the rest is lowered all the same, so that later checks can speak too. */
export function lower(source: Source, root: Located): Checked<Runbook> {
  if (root.kind !== 'map') {
    return {
      value: undefined,
      diagnostics: [
        problemAt(source, firstOf(root), 'RB1015', 'a runbook is a mapping', 'it begins with `apiVersion: runbook/v1`'),
      ],
    }
  }
  const diagnostics: Diagnostic[] = []
  const version = childOf(root, 'apiVersion')
  if (version?.kind !== 'scalar' || version.value !== 'runbook/v1') {
    const span = version ? firstOf(version) : firstOf(root)
    const message = version
      ? `the version \`${String(version.kind === 'scalar' ? version.value : 'mapping')}\` is not known`
      : '`apiVersion` is missing'
    diagnostics.push(problemAt(source, span, 'RB1101', message, 'write `apiVersion: runbook/v1`'))
  }
  const misfits = validatorOf(rootSchema)(toJson(root)).filter(
    ({ path, field }) => path[0] !== 'apiVersion' && field !== 'apiVersion',
  )
  diagnostics.push(...misfits.map((misfit) => diagnose(source, root, misfit)))
  const ids = new Map<string, Span>()
  const value: Runbook = {
    source,
    name: textOf(childOf(root, 'name')) ?? { text: '', span: firstOf(root) },
    title: textOf(childOf(root, 'title'))?.text ?? textOf(childOf(root, 'name'))?.text ?? '',
    description: textOf(childOf(root, 'description'))?.text ?? '',
    inputs: inputsOf(source, childOf(root, 'inputs'), diagnostics),
    locks: itemsOf(childOf(root, 'locks')).flatMap(present),
    preconditions: conditionsOf(childOf(root, 'preconditions')),
    steps: stepsOf(childOf(root, 'steps'), true),
    outputs: namedOf(childOf(root, 'outputs')),
  }
  return { value, diagnostics }

  function stepsOf(node: Located | undefined, named: boolean): Step[] {
    const items = itemsOf(node)
    if (!named) demandOtherIds(items)
    return items.flatMap((item, index) => (item.kind === 'map' ? stepOf(item, named, index) : []))
  }

  /** A step of a rollback that has no id is called by its place: what happened to it is found by that. */
  function demandOtherIds(items: readonly Located[]): void {
    const written = items.map((item) => (item.kind === 'map' ? textOf(childOf(item, 'id')) : undefined))
    for (const id of written) {
      const place = written.findIndex((each, index) => each === undefined && id?.text === idByPlace(index))
      if (!id || place < 0) continue
      const hint = `step ${place + 1} of this rollback has no id, so that is its name: write another`
      diagnostics.push(problemAt(source, id.span, 'RB1109', `two steps have the id \`${id.text}\``, hint))
    }
  }

  function stepOf(written: LocatedMap, named: boolean, index: number): Step[] {
    const kinds = stepKinds.filter((kind) => entryOf(written, kind))
    const [kind] = kinds
    if (!kind) {
      const stray =
        written.entries.find(({ key }) => !allWords.has(key) && didYouMean(key, stepKinds)) ??
        written.entries.find(({ key }) => !allWords.has(key))
      const hint =
        (stray && didYouMean(stray.key, stepKinds)) ??
        `a step has one of ${stepKinds.map((word) => `\`${word}\``).join(', ')}`
      diagnostics.push(
        problemAt(
          source,
          stray?.keySpan ?? firstOf(written),
          stray ? 'RB1102' : 'RB1106',
          stray ? `\`${stray.key}\` is not known here` : 'the step does nothing',
          hint,
        ),
      )
      return []
    }
    const second = kinds[1]
    if (second) {
      diagnostics.push(
        problemAt(
          source,
          entryOf(written, second)?.keySpan ?? written.span,
          'RB1107',
          `the step is \`${kind}\` and \`${second}\` at once`,
          'make two steps of it',
        ),
      )
    }
    const json = mapToJson(written)
    for (const misfit of validatorOf(schemaFor(kind, named))(json)) {
      if (durations.has(String(misfit.path.at(-1)))) continue // told below, in words of durations
      if (misfit.kind === 'unknown' && misfit.path.length === 0 && allWords.has(misfit.field ?? '')) {
        if (kinds.includes(misfit.field as WrittenKind)) continue
        const hint = `a step that is \`${kind}\` knows ${Object.keys(wordsOf(kind)).join(', ')}`
        diagnostics.push(
          problemAt(
            source,
            entryOf(written, misfit.field ?? '')?.keySpan ?? written.span,
            'RB1108',
            `\`${misfit.field}\` does not belong to a step that is \`${kind}\``,
            hint,
          ),
        )
      } else diagnostics.push(diagnose(source, written, misfit))
    }
    // what does not belong here is told; nothing is said of what stands in it
    const known = wordsOf(kind)
    const node: LocatedMap = { ...written, entries: written.entries.filter(({ key }) => Object.hasOwn(known, key)) }
    const id = textOf(childOf(node, 'id')) ?? { text: named ? '' : idByPlace(index), span: firstOf(node) }
    if (id.text !== '' && textOf(childOf(node, 'id'))) {
      const before = ids.get(id.text)
      if (before)
        diagnostics.push(
          problemAt(
            source,
            id.span,
            'RB1109',
            `two steps have the id \`${id.text}\``,
            'ids are unique in the whole runbook',
          ),
        )
      else ids.set(id.text, id.span)
    }
    const common = commonOf(node, id, kind)
    switch (kind) {
      case 'action':
        return [
          {
            ...common,
            kind,
            action: textOf(childOf(node, 'action')) ?? { text: '', span: firstOf(node) },
            with: childOf(node, 'with'),
            ...optional('effect', textOf(childOf(node, 'effect'))),
            ...optional('until', untilOf(childOf(node, 'until'), entryOf(node, 'until')?.keySpan)),
            inDoubt: wordOf(json['in_doubt'], ['ask', 'rerun', 'fail'] as const),
          },
        ]
      case 'let':
        return [{ ...common, kind, values: namedOf(childOf(node, 'let')) }]
      case 'block':
        return [
          {
            ...common,
            kind,
            steps: stepsOf(childOf(node, 'block'), true),
            rescue: stepsOf(childOf(node, 'rescue'), true),
            always: stepsOf(childOf(node, 'always'), true),
          },
        ]
      case 'parallel':
        return [
          {
            ...common,
            kind,
            branches: stepsOf(childOf(node, 'parallel'), true),
            ...optional('maxParallel', textOf(childOf(node, 'max_parallel'))),
          },
        ]
      case 'runbook':
        return [
          {
            ...common,
            kind,
            runbook: textOf(childOf(node, 'runbook')) ?? { text: '', span: firstOf(node) },
            with: childOf(node, 'with'),
          },
        ]
    }
  }

  function commonOf(node: LocatedMap, id: Text, kind: WrittenKind) {
    const retryNode = childOf(node, 'retry')
    const retry = retryNode?.kind === 'map' ? mapToJson(retryNode) : undefined
    diagnostics.push(
      ...durationProblems(source, [
        childOf(node, 'timeout'),
        childOf(retryNode, 'delay'),
        childOf(retryNode, 'max_delay'),
      ]),
    )
    return {
      id,
      node,
      span: entryOf(node, kind)?.keySpan ?? firstOf(node),
      ...optional('name', textOf(childOf(node, 'name'))),
      ...optional('when', textOf(childOf(node, 'when'))),
      ...optional('loop', kind === 'parallel' ? undefined : loopOf(node)),
      ...optional('timeout', textOf(childOf(node, 'timeout'))),
      ...(retry && {
        retry: {
          attempts: typeof retry['attempts'] === 'number' ? retry['attempts'] : 2,
          backoff: typeof retry['backoff'] === 'number' ? retry['backoff'] : 2,
          ...optional('delay', textOf(childOf(retryNode, 'delay'))),
          ...optional('maxDelay', textOf(childOf(retryNode, 'max_delay'))),
        },
      }),
      verify: conditionsOf(childOf(node, 'verify')),
      onFailure: wordOf(textOf(childOf(node, 'on_failure'))?.text, ['abort', 'continue', 'pause'] as const),
      rollback: stepsOf(childOf(node, 'rollback'), false),
    }
  }

  function loopOf(node: LocatedMap): Loop | undefined {
    const word = entryOf(node, 'for_each') ? 'for_each' : entryOf(node, 'targets') ? 'targets' : undefined
    if (!word) {
      for (const stray of ['as', 'key', 'batches', 'max_failures', 'guards', 'max_parallel']) {
        const entry = entryOf(node, stray)
        if (entry)
          diagnostics.push(
            problemAt(source, entry.keySpan, 'RB1108', `\`${stray}\` belongs to a loop`, 'add `for_each` or `targets`'),
          )
      }
      return undefined
    }
    const both = word === 'for_each' ? entryOf(node, 'targets') : undefined
    if (both)
      diagnostics.push(
        problemAt(
          source,
          both.keySpan,
          'RB1108',
          'a step loops with `for_each` or over `targets`, not both',
          'put one of them on a `block` around the step',
        ),
      )
    const over = entryOf(node, word)?.value
    if (!over) return undefined
    return {
      kind: word === 'for_each' ? 'items' : 'hosts',
      over:
        over.kind === 'scalar'
          ? (textOf(over) ?? { text: '', span: over.span })
          : { literal: over, span: firstOf(over) },
      as: textOf(childOf(node, 'as')) ?? { text: word === 'for_each' ? 'item' : 'target', span: firstOf(over) },
      ...optional('key', textOf(childOf(node, 'key'))),
      ...optional('maxParallel', textOf(childOf(node, 'max_parallel'))),
      batches: itemsOf(childOf(node, 'batches')).flatMap(present),
      ...optional('maxFailures', textOf(childOf(node, 'max_failures'))),
      guards: conditionsOf(childOf(node, 'guards')),
      guardSteps: guardStepsOf(childOf(node, 'guards')),
    }
  }

  /** A guard is a condition or a step; a condition is looked at here, a step like any other. */
  function guardStepsOf(node: Located | undefined): Step[] {
    return itemsOf(node).flatMap((item, index) => {
      if (item.kind !== 'map') return []
      if (!entryOf(item, 'that')) return stepOf(item, true, index)
      diagnostics.push(...validatorOf(conditionSchema)(mapToJson(item)).map((misfit) => diagnose(source, item, misfit)))
      return []
    })
  }

  function untilOf(node: Located | undefined, span: Span | undefined): Until | undefined {
    const done = textOf(childOf(node, 'done'))
    if (!node || !done) return undefined
    diagnostics.push(
      ...durationProblems(source, [childOf(node, 'every'), childOf(node, 'timeout'), childOf(node, 'stalled_for')]),
    )
    const unreachable = textOf(childOf(node, 'unreachable'))?.text
    return {
      span: span ?? firstOf(node),
      done,
      ...optional('failed', textOf(childOf(node, 'failed'))),
      ...optional('stalled', textOf(childOf(node, 'stalled'))),
      ...optional('stalledFor', textOf(childOf(node, 'stalled_for'))),
      unreachable: unreachable === 'wait' ? 'wait' : 'fail',
      ...optional('every', textOf(childOf(node, 'every'))),
      ...optional('timeout', textOf(childOf(node, 'timeout'))),
    }
  }
}

const durations: ReadonlySet<string> = new Set(['timeout', 'every', 'stalled_for', 'delay', 'max_delay'])
const rootSchema = shallowRootSchema()
const schemas = new Map<string, Schema>()

function schemaFor(kind: WrittenKind, named: boolean): Schema {
  const key = `${kind} ${named}`
  const schema = schemas.get(key) ?? shallowStepSchema(kind, named)
  schemas.set(key, schema)
  return schema
}

/** A scalar as text; a number or a boolean as it reads. */
function textOf(node: Located | undefined): Text | undefined {
  return node?.kind === 'scalar' && node.value !== null ? { text: String(node.value), span: node.span } : undefined
}

function present(node: Located): Text[] {
  const text = textOf(node)
  return text ? [text] : []
}

function conditionsOf(node: Located | undefined): Condition[] {
  return itemsOf(node).flatMap((item) => {
    const that = textOf(childOf(item, 'that'))
    return that ? [{ that, ...optional('message', textOf(childOf(item, 'message'))) }] : []
  })
}

function namedOf(node: Located | undefined): Named[] {
  return entriesOf(node).flatMap(({ key, keySpan, value }) => {
    const text = textOf(value)
    return text ? [{ name: key, nameSpan: keySpan, value: text }] : []
  })
}

function wordOf<W extends string>(value: unknown, words: readonly [W, ...W[]]): W {
  return words.find((word) => word === value) ?? words[0]
}

function optional<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [k in K]?: V }
}

const idByPlace = (index: number): string => `undo_${index + 1}`
