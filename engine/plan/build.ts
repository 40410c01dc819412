import type { Effect } from '../action/contract.ts'
import { asks } from '../action/contract.ts'
import { mapParams } from '../action/params.ts'
import type { Registry } from '../action/registry.ts'
import { splitCommand } from '../command-line.ts'
import type { Condition, Loop, Runbook, Step, Text } from '../document/runbook.ts'
import { toJson } from '../document/tree.ts'
import { parseDuration } from '../duration.ts'
import type { Json, JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import { positionOf } from '../source.ts'
import type {
  Amount,
  Count,
  Duration,
  Place,
  PlannedCondition,
  PlannedLoop,
  PlannedRunbook,
  PlannedStep,
  Targets,
} from './plan.ts'

/** The rules by which the interpreter walks. A transcript names them; an engine that does not know the number does not resume it. */
export const semantics = 1

export interface PlanWorld {
  readonly registry: Registry
  find(called: string, from: string): Runbook | undefined
  isTargetExpression(text: string, names: { readonly [name: string]: unknown }): boolean
}

/** A runbook without errors as a plan: called runbooks put in place, command lines split, durations in milliseconds. */
export function planOf(runbook: Runbook, world: PlanWorld, prefix = ''): PlannedRunbook {
  const place = ({ span }: Text): Place => placeIn(runbook, span.start)
  return {
    name: runbook.name.text,
    title: runbook.title,
    inputs: Object.fromEntries(runbook.inputs.map(({ name, schema }) => [name, schema])),
    secrets: runbook.inputs.flatMap(({ name, secret }) => (secret ? [name] : [])),
    locks: runbook.locks.map(({ text }) => text),
    preconditions: conditions(runbook.preconditions),
    steps: steps(runbook.steps, prefix, {}),
    outputs: Object.fromEntries(runbook.outputs.map(({ name, value }) => [name, value.text])),
  }

  function steps(list: readonly Step[], above: string, names: Names): readonly PlannedStep[] {
    return list.map((step) => planned(step, above, names))
  }

  function conditions(list: readonly Condition[]): readonly PlannedCondition[] {
    return list.map(({ that, message }) => ({
      that: that.text,
      ...(message && { message: message.text }),
      place: place(that),
    }))
  }

  function planned(step: Step, above: string, names: Names): PlannedStep {
    const address = above === '' ? step.id.text : `${above}/${step.id.text}`
    const inner = step.loop ? { ...names, [step.loop.as.text]: true as const } : names
    const common = {
      id: step.id.text,
      address,
      name: step.name?.text ?? step.id.text.replaceAll('_', ' '),
      place: placeIn(runbook, step.span.start),
      ...(step.when && { when: step.when.text }),
      ...(step.loop && { loop: loopOf(step.loop, names, address) }),
      ...(step.retry && {
        retry: {
          attempts: step.retry.attempts,
          delay: durationOf(step.retry.delay, 1_000),
          backoff: step.retry.backoff,
          maxDelay: durationOf(step.retry.maxDelay, 300_000),
        },
      }),
      ...(step.timeout && { timeout: durationOf(step.timeout, 0) }),
      verify: conditions(step.verify),
      onFailure: step.onFailure,
      rollback: steps(step.rollback, address, inner),
    }
    switch (step.kind) {
      case 'action': {
        const action = world.registry.get(step.action.text)
        const chosen =
          action && !asks(action) && action.effectFromStep ? (step.effect?.text as Effect | undefined) : undefined
        const value = step.with ? toJson(step.with) : {}
        return {
          ...common,
          kind: 'action',
          action: step.action.text,
          effect: chosen ?? action?.effect ?? 'change',
          idempotent: action !== undefined && !asks(action) && action.idempotent === true,
          with: action
            ? (mapParams(action.params, value, ({ kind, value: part }) =>
                kind === 'command' ? wordsOf(part) : part,
              ) as JsonObject)
            : {},
          ...(step.until && {
            until: {
              done: step.until.done.text,
              ...(step.until.failed && { failed: step.until.failed.text }),
              ...(step.until.stalled && { stalled: step.until.stalled.text }),
              ...(step.until.stalledFor && { stalledFor: durationOf(step.until.stalledFor, 0) }),
              unreachable: step.until.unreachable,
              every: durationOf(step.until.every, 5_000),
              timeout: durationOf(step.until.timeout ?? step.timeout, 0),
            },
          }),
          inDoubt: step.inDoubt,
        }
      }
      case 'let':
        return {
          ...common,
          kind: 'let',
          values: Object.fromEntries(step.values.map(({ name, value }) => [name, value.text])),
        }
      case 'block':
        return {
          ...common,
          kind: 'block',
          steps: steps(step.steps, address, inner),
          rescue: steps(step.rescue, address, inner),
          always: steps(step.always, address, inner),
        }
      case 'parallel':
        return {
          ...common,
          kind: 'parallel',
          branches: steps(step.branches, address, inner),
          maxParallel: countOf(step.maxParallel, Math.max(1, step.branches.length)),
        }
      case 'runbook': {
        const called = world.find(step.runbook.text, runbook.source.path)
        if (!called) throw new Error(`no runbook ${step.runbook.text}: check before planning`)
        const given = step.with ? toJson(step.with) : {}
        return {
          ...common,
          kind: 'runbook',
          runbook: planOf(called, world, address),
          with: isObject(given) ? given : {},
        }
      }
    }
  }

  function loopOf(loop: Loop, names: Names, above: string): PlannedLoop {
    const shared = {
      as: loop.as.text,
      maxParallel: countOf(loop.maxParallel, loop.kind === 'hosts' ? 10 : 1),
      ...(loop.maxFailures && { maxFailures: amountOf(loop.maxFailures) }),
      batches: loop.batches.map(amountOf),
      guards: conditions(loop.guards),
      guardSteps: steps(loop.guardSteps, above, names),
    }
    if (loop.kind === 'hosts') return { ...shared, kind: 'hosts', targets: targetsOf(loop, names) }
    const list = 'text' in loop.over ? loop.over.text : (toJson(loop.over.literal) as readonly Json[])
    return { ...shared, kind: 'items', list, ...(loop.key && { key: loop.key.text }) }
  }

  function targetsOf({ over }: Loop, names: Names): Targets {
    if ('literal' in over) return { pattern: (toJson(over.literal) as readonly Json[]).join(',') }
    return world.isTargetExpression(over.text, names) ? { expression: over.text } : { pattern: over.text }
  }
}

type Names = { readonly [name: string]: true }

function placeIn({ source }: Runbook, offset: number): Place {
  const { line, column } = positionOf(source, offset)
  return `${source.path}:${line}:${column}`
}

function wordsOf(value: Json): Json {
  if (typeof value !== 'string') return value
  const split = splitCommand(value)
  if ('problem' in split) throw new Error(`${split.problem.message}: check before planning`)
  return split.words.map(({ text }) => text)
}

function durationOf(written: Text | undefined, otherwise: number): Duration {
  if (!written) return otherwise
  return parseDuration(written.text) ?? written.text
}

function countOf(written: Text | undefined, otherwise: number): Count {
  if (!written) return otherwise
  return /^[0-9]+$/.test(written.text) ? Number(written.text) : written.text
}

function amountOf({ text }: Text): Amount {
  return /^[0-9]+$/.test(text) ? Number(text) : text
}
