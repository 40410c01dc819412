import { Unknown } from '../expression/unknown.ts'
import type { Json, JsonObject } from '../json.ts'
import type { PlannedBlock, PlannedParallel } from '../plan/plan.ts'
import type { Body } from './durable.ts'
import type { Engine } from './engine.ts'
import { type Found, namesIn, textOf } from './evaluate.ts'
import { began, blame, cancelled, limitsOf, notReached, sequence, told, type Walked } from './interpret.ts'
import { within } from './key.ts'
import { needsOf } from './needs.ts'
import { isGood, type Outcome, type OutcomeError, worstOf } from './outcome.ts'
import { type Scope, undoVars, varsOf, viewOf } from './scope.ts'

/** Steps that stand or fall together, what mends them when they fall, and what is done in every case. */
export async function runBlock(engine: Engine, step: PlannedBlock, scope: Scope, key: string): Promise<Walked> {
  const names = namesIn(engine, scope)
  const at = await began(engine, step, key, names)
  const limit = await limitsOf(engine, step, scope, key)
  if ('error' in limit) return finish({ status: 'failed', error: limit.error })
  const inside: Scope = { ...scope, limits: limit.value }
  const body = await sequence(engine, step.steps, inside, key)
  let outcome: Outcome = body ?? { status: 'succeeded', result: null }
  if (body && step.rescue.length > 0 && !('error' in body && body.error.code === 'refused')) {
    const failure = failureOf(body)
    const rescuing: Scope = { ...scope, names: { ...scope.names, failure }, shield: true }
    const rescued = await sequence(engine, step.rescue, rescuing, key)
    outcome = rescued ?? (body.status === 'cancelled' ? body : { status: 'succeeded', result: null })
  } else if (!(await perhapsRescued(engine, step, scope, key)))
    notReached(step.rescue, scope, `\`${step.id}\` was not rescued`)
  if (step.always.length > 0) {
    const cleaned = await sequence(engine, step.always, { ...scope, shield: true, limits: [] }, key)
    if (cleaned && isGood(outcome)) outcome = cleaned
  }
  if (isGood(outcome) && step.rollback.length > 0) {
    const vars = undoVars(scope, step.id, viewOf(outcome, at), needsOf(step, engine.registry))
    scope.undo.push({ key, path: step.address, vars })
  }
  return finish(outcome)

  async function finish(ended: Outcome): Promise<Walked> {
    await told(engine, step, key, names, ended)
    return { outcome: ended, view: viewOf(ended, at) }
  }
}

/** Dry run: a read failed, and what was not done before it may be why. What would mend it is shown, and decides nothing. */
async function perhapsRescued(engine: Engine, { rescue }: PlannedBlock, scope: Scope, key: string): Promise<boolean> {
  const failed = engine.pending.failed.find((each) => each.startsWith(`${key}/`))
  if (failed === undefined || rescue.length === 0) return false
  const maybe = `if \`${failed}\` fails: it is read after \`${engine.pending.change}\`, which a dry run does not do`
  const failure = new Unknown(maybe) as unknown as Json
  await sequence(engine, rescue, { ...scope, names: { ...scope.names, failure }, maybe, shield: true }, key)
  return true
}

/** `failure` in a rescue. */
function failureOf(outcome: Outcome): JsonObject {
  const { code, message, key, hint, detail } =
    'error' in outcome ? outcome.error : { code: '', message: '', key: undefined, hint: undefined, detail: undefined }
  return { code, message, status: outcome.status, step: key ?? '', hint: hint ?? '', detail: detail ?? null }
}

/** Branches at the same time; the group is done when all of them are. */
export async function runParallel(engine: Engine, step: PlannedParallel, scope: Scope, key: string): Promise<Walked> {
  const names = namesIn(engine, scope)
  const at = await began(engine, step, key, names)
  const limit = await limitsOf(engine, step, scope, key)
  const concurrency =
    typeof step.maxParallel === 'number' ? { value: step.maxParallel } : valueOfCount(step.maxParallel, names)
  if ('error' in limit || 'error' in concurrency) {
    const outcome: Outcome = {
      status: 'failed',
      error: 'error' in limit ? limit.error : (concurrency as { error: OutcomeError }).error,
    }
    await told(engine, step, key, names, outcome)
    return { outcome, view: viewOf(outcome, at) }
  }
  const inside: Scope = { ...scope, limits: limit.value }
  const bodies = step.branches.map(
    (branch): Body => ({
      path: branch.address,
      part: 'step',
      key,
      vars: varsOf(inside, needsOf(branch, engine.registry)),
    }),
  )
  const results = await engine.durable.all(key, bodies, {
    concurrency: concurrency.value,
    stopAfter: Number.POSITIVE_INFINITY,
  })
  const bad: Outcome[] = []
  for (const [index, branch] of step.branches.entries()) {
    const result = results[index]
    // only a cancelled run leaves a branch that was not begun
    const outcome = result?.outcome ?? cancelled(within(key, branch.id))
    if (result) {
      Object.assign(scope.steps, result.view)
      scope.undo.push(...result.undo)
    } else notReached([branch], scope, 'the run was cancelled before it')
    if (!isGood(outcome) && (branch.onFailure !== 'continue' || outcome.status === 'cancelled'))
      bad.push(blame(outcome, within(key, branch.id)))
  }
  const outcome = worstOf(bad) ?? { status: 'succeeded', result: null }
  await told(engine, step, key, names, outcome)
  return { outcome, view: viewOf(outcome, at) }
}

function valueOfCount(template: string, names: { readonly [name: string]: unknown }): Found<number> {
  const found = textOf(template, names)
  if ('error' in found) return found
  const count = Number(found.value)
  return Number.isInteger(count) && count > 0
    ? { value: count }
    : { error: { code: 'bad_count', message: `\`${template}\` is not a whole number above 0` } }
}
