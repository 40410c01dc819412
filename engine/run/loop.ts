import { Unknown } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PlannedLoop, PlannedStep } from '../plan/plan.ts'
import { renderDeep } from '../template/template.ts'
import type { Body, Limit, SectionResult } from './durable.ts'
import type { Engine } from './engine.ts'
import type { Found, Names } from './evaluate.ts'
import { amountIn, countIn, judge, namesIn, sayFailed, shownBriefly, textFor, textOf, valueIn } from './evaluate.ts'
import type { Walked } from './interpret.ts'
import { cancelled, errorOf, limitsOf, sequence } from './interpret.ts'
import { about, itemKey, nameOf, within } from './key.ts'
import { needsOf } from './needs.ts'
import type { Outcome } from './outcome.ts'
import { isGood, worstOf } from './outcome.ts'
import type { Scope } from './scope.ts'
import { varsOf, viewOf } from './scope.ts'

interface Item {
  readonly name: string
  readonly value: Json
  readonly target?: string
}

/**
 * A step once per item or host. Items are named by their key, so that a resumed run knows them again; in batches, so many
 * at a time. The loop stops beginning new items once `max_failures` have failed (one, unless told) or a guard does not
 * hold; an item that failed fails the loop in the end, whatever was allowed on the way.
 */
export async function runLoop(engine: Engine, step: PlannedStep, scope: Scope, key: string): Promise<Walked> {
  const loop = step.loop as PlannedLoop
  const names = namesIn(engine, scope)
  const found = loop.kind === 'hosts' ? await hostsOf(engine, loop, key, names) : itemsOf(loop, names)
  const list = 'error' in found ? [] : found.value
  const at = await engine.durable.event({
    type: 'step.began',
    key,
    step: step.address,
    kind: 'loop',
    name: textFor(step.name, names),
    ...(!(list instanceof Unknown) && { count: list.length }),
    ...(step.kind === 'action' && { action: step.action, effect: step.effect }),
  })
  if ('error' in found) return finish({ status: 'failed', error: found.error }, [])
  if (list instanceof Unknown) return perhaps(list)
  if (list.length === 0) return finish({ status: 'skipped', why: 'there is nothing to loop over' }, [])
  const sizes = batchSizes(loop, list.length, names)
  const concurrency = countIn(loop.maxParallel, names)
  const most = loop.maxFailures === undefined ? { value: 1 } : amountIn(loop.maxFailures, list.length, names)
  const limit = await limitsOf(engine, step, scope, key)
  for (const each of [sizes, concurrency, most, limit])
    if ('error' in each) return finish({ status: 'failed', error: each.error }, [])
  const needed = needsOf(step, engine.registry)
  const inside: Scope = { ...scope, limits: (limit as { value: readonly Limit[] }).value }
  const ended: { readonly item: Item; readonly result: SectionResult }[] = []
  let stopped: Outcome | undefined
  let from = 0
  for (const [batch, size] of (sizes as { value: number[] }).value.entries()) {
    const items = list.slice(from, from + size)
    from += size
    const bodies = items.map(
      (item): Body => ({
        path: step.address,
        part: 'item',
        key: itemKey(key, item.name),
        vars: varsOf(inside, needed, { [loop.as]: item.value }, item.target),
      }),
    )
    const failures = () => ended.filter(({ result }) => !isGood(result.outcome)).length
    const left = (most as { value: number }).value - failures()
    const results = await engine.durable.all(about(key, `batch${batch + 1}`), bodies, {
      concurrency: (concurrency as { value: number }).value,
      stopAfter: left,
    })
    for (const [index, result] of results.entries()) {
      const item = items[index]
      if (result && item) ended.push({ item, result })
    }
    const cut = engine.durable.cancelled && !scope.shield && ended.length < list.length
    // what had stopped it before the run was cancelled is what stopped it
    if (failures() >= (most as { value: number }).value) stopped = failureOf(ended, list.length)
    else if (cut)
      stopped =
        (results.every(Boolean) && guardsAsked(batch + 1) && !ended.some(isCancelled)
          ? await guarded(batch + 1)
          : undefined) ?? cancelled(key)
    else if (from < list.length || loop.guardSteps.length + loop.guards.length > 0) stopped = await guarded(batch + 1)
    if (stopped) break
  }
  for (const { result } of ended) scope.undo.push(...result.undo)
  return finish(stopped ?? failureOf(ended, list.length) ?? { status: 'succeeded', result: null }, ended)

  /** Before the run was cancelled: conditions alone decide the same whenever they are asked. */
  function guardsAsked(batch: number): boolean {
    const [first] = loop.guardSteps
    return !first || engine.durable.has(within(about(key, `after${batch}`), first.id))
  }

  async function guarded(batch: number): Promise<Outcome | undefined> {
    const read: Scope = { ...scope, steps: { ...scope.steps } }
    const bad = await sequence(engine, loop.guardSteps, read, about(key, `after${batch}`))
    if (bad?.status === 'cancelled') return bad
    if (bad)
      return {
        status: 'failed',
        error: { code: 'guard_failed', message: `a guard failed after batch ${batch}: ${errorOf(bad).message}` },
      }
    for (const guard of loop.guards) {
      const all = namesIn(engine, read)
      const { held, evaluated } = judge(guard.that, all)
      if (held === true || held instanceof Unknown) continue
      const message = sayFailed(guard, evaluated, all)
      await engine.durable.event({
        type: 'condition',
        key: about(key, `after${batch}`),
        word: 'guard',
        held: false,
        evaluated,
        message,
      })
      return {
        status: 'failed',
        error: { code: 'guard_failed', message: `a guard failed after batch ${batch}: ${message}` },
      }
    }
    return undefined
  }

  /** Dry run: what would be done for each item, once. */
  async function perhaps(why: Unknown): Promise<Walked> {
    const value = new Unknown(why.why) as unknown as Json
    const body: Body = {
      path: step.address,
      part: 'item',
      key: itemKey(key, '?'),
      vars: varsOf(
        { ...scope, maybe: `for each of what is not known yet: ${why.why}` },
        needsOf(step, engine.registry),
        { [loop.as]: value },
      ),
    }
    await engine.durable.all(key, [body], { concurrency: 1, stopAfter: 1 })
    const outcome: Outcome = { status: 'succeeded', result: null }
    await tell(outcome)
    return { outcome, view: { ...viewOf(outcome, at), items: value } }
  }

  async function finish(
    outcome: Outcome,
    items: readonly { readonly item: Item; readonly result: SectionResult }[],
  ): Promise<Walked> {
    await tell(outcome)
    const views = items.map(
      ({ item, result }): JsonObject => ({
        key: item.name,
        [loop.kind === 'hosts' ? 'target' : 'item']: item.value,
        ...result.view,
      }),
    )
    const { result: _none, ...view } = viewOf(outcome, at)
    return { outcome, view: { ...view, items: views } }
  }

  async function tell(outcome: Outcome): Promise<void> {
    await engine.durable.event({
      type: 'step.ended',
      key,
      step: step.address,
      kind: 'loop',
      name: textFor(step.name, names),
      ...(step.kind === 'action' && { action: step.action }),
      outcome,
    })
  }
}

const isCancelled = ({ result }: { readonly result: SectionResult }): boolean => result.outcome.status === 'cancelled'

function itemsOf(loop: PlannedLoop & { kind: 'items' }, names: Names): Found<Item[] | Unknown> {
  const found =
    typeof loop.list === 'string'
      ? valueIn(loop.list, names)
      : { value: renderDeep(loop.list, names) as Json | Unknown }
  if ('error' in found || found.value instanceof Unknown) return found as Found<Unknown>
  if (!Array.isArray(found.value))
    return {
      error: {
        code: 'not_a_list',
        message: `\`${String(loop.list)}\` came to ${shownBriefly(found.value as Json)}, which is not a list`,
      },
    }
  const items: Item[] = []
  const seen = new Set<string>()
  for (const [index, value] of (found.value as Json[]).entries()) {
    const named = loop.key === undefined ? { value: String(index) } : keyOf(loop.key, { ...names, [loop.as]: value })
    if ('error' in named) return named
    if (seen.has(named.value))
      return {
        error: {
          code: 'key_twice',
          message: `two items have the key \`${named.value}\``,
          hint: 'the `key` must name each item',
        },
      }
    seen.add(named.value)
    items.push({ name: named.value, value })
  }
  return { value: items }
}

function keyOf(key: string, names: Names): Found<string> {
  const found = valueIn(key, names)
  if ('error' in found) return found
  if (found.value instanceof Unknown) return { value: '?' }
  const name = nameOf(found.value)
  return name === undefined
    ? { error: { code: 'bad_key', message: `the key \`${key}\` is not a text` } }
    : { value: name }
}

/** The hosts, recorded when they are first looked up: a changed inventory does not change a run that has begun. */
async function hostsOf(
  engine: Engine,
  loop: PlannedLoop & { kind: 'hosts' },
  key: string,
  names: Names,
): Promise<Found<Item[] | Unknown>> {
  const wanted =
    'expression' in loop.targets ? valueIn(loop.targets.expression, names) : textOf(loop.targets.pattern, names)
  if ('error' in wanted || wanted.value instanceof Unknown) return wanted as Found<Unknown>
  const pattern = Array.isArray(wanted.value) ? wanted.value.map(String).join(',') : String(wanted.value)
  const hosts = (await engine.durable.value(
    about(key, 'hosts'),
    () => engine.hosts.matching(pattern) as unknown as Json,
  )) as unknown as readonly { name: string; address: string; groups: string[]; vars: JsonObject }[]
  if (hosts.length === 0 && pattern !== '') {
    return {
      error: {
        code: 'no_hosts',
        message: `\`${pattern}\` names no host of this run`,
        hint: '`runbook hosts` shows what the inventory holds; of that, `--limit` takes only a part',
      },
    }
  }
  return { value: hosts.map((host) => ({ name: host.name, value: host as unknown as Json, target: host.name })) }
}

function batchSizes({ batches }: PlannedLoop, total: number, names: Names): Found<number[]> {
  if (batches.length === 0) return { value: [total] }
  const sizes: number[] = []
  for (let done = 0, index = 0; done < total; index++) {
    const amount = batches[Math.min(index, batches.length - 1)] ?? total
    const found = amountIn(amount, total, names)
    if ('error' in found) return found
    const size = Math.min(found.value, total - done)
    sizes.push(size)
    done += size
  }
  return { value: sizes }
}

function failureOf(
  ended: readonly { readonly item: Item; readonly result: SectionResult }[],
  total: number,
): Outcome | undefined {
  const failed = ended.filter(({ result }) => !isGood(result.outcome))
  const worst = worstOf(failed.map(({ result }) => result.outcome))
  if (!worst) return undefined
  const names = failed.map(({ item }) => item.name)
  const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
  const rest = ended.length < total ? `, ${total - ended.length} not begun` : ''
  const { message, code, hint } = errorOf(worst)
  // what was cancelled is no failure that could be tolerated
  const alike = worst.status === 'cancelled' || failed.every(({ result }) => result.outcome.status === worst.status)
  const status = alike ? worst.status : 'failed'
  const error = {
    code,
    message: `${failed.length} of ${total} failed${rest} (${shown}): ${message}`,
    ...(hint !== undefined && { hint }),
  }
  return { status: status as 'failed', error }
}
