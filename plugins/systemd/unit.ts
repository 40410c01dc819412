import {
  type ActionContext,
  type Preview,
  type Settled,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { closedObject, duration, flag, text, whole } from '../../engine/action/define.ts'
import { parseDuration, shownDuration } from '../../engine/duration.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { hostOf, hostParams, lastWord, shell } from '../ssh/host.ts'
import { journalOf, lookAt, type Unit } from './look.ts'

const usualLimit = 120_000
const pause = 1_000
/** Milliseconds a unit must stay as it is: `active` is said of a simple service before it has read its configuration. */
const steady = 3_000

type State = 'started' | 'stopped' | 'restarted' | 'reloaded'

export const unit: WorkAction = {
  name: 'systemd.unit',
  summary: 'bring a unit of a host into a state, and see that it is',
  description: [
    'The end of a job is no proof: what counts is the state that the unit is in afterwards, and stays in for three seconds. `started` and `stopped` leave alone what is so already; `restarted` is done when the unit runs under a new invocation; `reloaded` when it has taken the reload and runs.',
    'A unit that fails, or that systemd starts again by itself more than `max_restarts` times (it says `activating` all the while), fails with `unit_failed` and what the journal says; one that does not get there within `within` with `unit_timeout`.',
  ].join('\n\n'),
  effect: 'change',
  idempotent: false,
  params: closedObject(
    {
      unit: text('The unit, such as `mariadb` or `nova-compute.service`.', { pattern: '^[^-\\s]' }),
      state: text('What it shall be; as it is unless told.', { enum: ['started', 'stopped', 'restarted', 'reloaded'] }),
      enabled: flag('Whether it starts with the host; as it is unless told.'),
      within: duration('How long it may take; `2m` unless told.'),
      max_restarts: whole('How often systemd may start it again by itself meanwhile; never unless told.', {
        minimum: 0,
      }),
      ...hostParams,
    },
    ['state', 'enabled', 'within', 'max_restarts', ...Object.keys(hostParams)],
  ),
  result: closedObject({
    host: text('The host.'),
    unit: text('The unit.'),
    changed: flag('Whether this step has changed anything.'),
    active_state: text('`active`, `inactive`, `failed` …'),
    sub_state: text('`running`, `exited`, `dead` …'),
    enabled: flag('Whether it starts with the host.'),
  }),
  examples: [
    { unit: 'nova-compute', state: 'started', enabled: true },
    { unit: 'mariadb', state: 'restarted', within: '10m', become: true },
    { unit: 'chrony', state: 'stopped', enabled: false, host: 'c1' },
  ],

  async plan(ctx, params, signal): Promise<Preview> {
    const now = known(params, await lookAt(ctx, params, signal))
    const changes = [...enabledChange(params, now), ...stateChange(params, now)]
    const what = `\`${params['unit'] as string}\` on ${hostOf(params)}`
    return changes.length === 0
      ? { summary: `nothing to do: ${what} is so already`, changes }
      : { summary: `would change ${what}`, changes }
  },

  async run(ctx, params, signal): Promise<Json> {
    const before = known(params, await lookAt(ctx, params, signal))
    const enables = enabledChange(params, before).length > 0
    if (enables) await tell(ctx, params, params['enabled'] === true ? 'enable' : 'disable', signal)
    const acts = stateChange(params, before).length > 0
    const after = acts ? await bring(ctx, params, before, signal) : enables ? await lookAt(ctx, params, signal) : before
    if (enabledChange(params, after).length > 0) {
      throw new StepFailure('not_so', `\`${params['unit'] as string}\` on \`${hostOf(params)}\` is \`${after.file}\``, {
        hint: 'a unit without an `[Install]` section cannot be enabled or disabled',
      })
    }
    return resultOf(params, after, enables || acts)
  },

  async settled(ctx, params, signal): Promise<Settled> {
    const what = `\`${params['unit'] as string}\` on \`${hostOf(params)}\``
    const state = params['state'] as State | undefined
    if (state === 'restarted' || state === 'reloaded')
      return { happened: 'unknown', why: `nothing tells whether ${what} was ${state} by this step` }
    const began = ctx.clock.now()
    for (;;) {
      const now = known(params, await lookAt(ctx, params, signal))
      const left = enabledChange(params, now).length + stateChange(params, now).length
      if (left === 0) return { happened: 'yes', result: resultOf(params, now, true) }
      const shown = `${what} is \`${now.active} (${now.sub})\` and \`${now.file}\``
      // systemd goes on with what it was asked for; a job that is only in line does not show at once
      const moving = state !== undefined && underWay.includes(now.active)
      if (ctx.clock.now() - began >= (moving ? limitOf(params) : steady)) {
        const partly = state !== undefined && params['enabled'] !== undefined && left === 1
        return moving || partly ? { happened: 'unknown', why: shown } : { happened: 'no' }
      }
      ctx.progress(shown)
      await ctx.clock.sleep(pause, signal)
    }
  },
}

const underWay = ['activating', 'deactivating', 'reloading']
const limitOf = ({ within }: JsonObject): number => parseDuration(String(within ?? '')) ?? usualLimit

function known(params: JsonObject, unit: Unit): Unit {
  const what = `\`${params['unit'] as string}\` on \`${hostOf(params)}\``
  if (unit.load === 'not-found') throw new StepFailure('unit_unknown', `there is no ${what}`)
  if (unit.load === 'masked' && params['state'] !== 'stopped')
    throw new StepFailure('unit_masked', `${what} is masked`, { hint: 'somebody wanted it never to start: ask who' })
  if (['error', 'bad-setting'].includes(unit.load))
    throw new StepFailure('unit_broken', `the file of ${what} cannot be read: \`${unit.load}\``)
  return unit
}

const isEnabled = ({ file }: Unit) => /^enabled/.test(file)
const isStarted = ({ active, sub }: Unit) => active === 'active' && sub !== 'auto-restart'
const isStopped = ({ active }: Unit) => active === 'inactive' || active === 'failed'

function enabledChange({ enabled }: JsonObject, unit: Unit): Preview['changes'] {
  if (enabled === undefined || enabled === isEnabled(unit)) return []
  return [{ path: 'enabled', before: unit.file, after: enabled === true ? 'enabled' : 'disabled' }]
}

function stateChange({ state }: JsonObject, unit: Unit): Preview['changes'] {
  const before = `${unit.active} (${unit.sub})`
  switch (state as State | undefined) {
    case undefined:
      return []
    case 'started':
      return isStarted(unit) ? [] : [{ path: 'state', before, after: 'active' }]
    case 'stopped':
      return isStopped(unit) ? [] : [{ path: 'state', before, after: 'inactive' }]
    case 'restarted':
      return [{ path: 'state', before, after: 'active, started anew' }]
    case 'reloaded':
      return [{ path: 'state', before, after: 'active, reloaded' }]
  }
}

const verbs = { started: 'start', stopped: 'stop', restarted: 'restart', reloaded: 'reload' } as const

async function tell(
  ctx: ActionContext,
  params: JsonObject,
  verb: string,
  signal: AbortSignal,
  {
    since,
    seconds,
  }: { readonly since?: number /** How long its end is waited for. */; readonly seconds?: number } = {},
): Promise<void> {
  const wait = seconds !== undefined || verb === 'reload' || /able$/.test(verb) ? [] : ['--no-block']
  const text = 'v=$1 u=$2 s=$3; shift 3; timeout "$s" systemctl "$v" "$@" -- "$u"'
  const args = [verb, params['unit'] as string, String(seconds ?? 0), ...wait]
  const said = await shell(ctx, params, text, { args }, signal)
  if (said.exitCode === 0 || (seconds !== undefined && said.exitCode === 124)) return
  const message = `\`systemctl ${verb} ${params['unit'] as string}\` on \`${hostOf(params)}\` is refused: ${said.stderr.trim() || lastWord(said)}`
  throw new StepFailure('unit_refused', message, {
    detail: { journal: since === undefined ? [] : await journalOf(ctx, params, since, signal) },
    ...(/uthentication required|ccess denied|ermission denied/.test(said.stderr) && {
      hint: '`become: true` does it as root',
    }),
  })
}

/** Until the unit is as wanted, and stays so; fails as soon as it cannot be any more. */
async function bring(ctx: ActionContext, params: JsonObject, before: Unit, signal: AbortSignal): Promise<Unit> {
  const state = params['state'] as State
  const limit = limitOf(params)
  const most = (params['max_restarts'] as number | undefined) ?? 0
  const began = ctx.clock.now()
  if (state === 'reloaded' && !isStarted(before))
    await fail('unit_failed', 'does not run, and cannot be reloaded', before)
  // what does its work once and ends is forgotten by systemd at once: only the end of its job tells how it went
  const once = before.type === 'oneshot' && (state === 'started' || state === 'restarted')
  try {
    const seconds = once ? { seconds: Math.ceil(limit / 1_000) } : {}
    await tell(ctx, params, verbs[state], signal, { since: before.now, ...seconds })
  } catch (error) {
    const now = once && error instanceof StepFailure ? await lookAt(ctx, params, signal) : undefined
    if (now?.active === 'failed') await fail('unit_failed', `has failed (\`${now.result}\`)`, now)
    throw error
  }

  let restarts = 0
  let last = before
  let since: number | undefined
  let failing: number | undefined
  for (;;) {
    const now = await lookAt(ctx, params, signal)
    // a start by hand sets the count to nothing
    restarts += Math.max(0, now.restarts - (now.restarts < last.restarts ? 0 : last.restarts))
    const good = reached(state, before, now)
    if (!good || now.invocation !== last.invocation || now.pid !== last.pid) since = undefined
    if (good) since ??= ctx.clock.now()
    last = now
    if (since !== undefined && (state === 'stopped' || ctx.clock.now() - since >= steady)) return now
    if (state !== 'stopped') {
      if (restarts > most || (most === 0 && now.sub === 'auto-restart'))
        await fail('unit_failed', 'fails, and systemd starts it again and again', now)
      // a start that is only in line leaves the unit as it was for a moment
      if (now.active !== 'failed') failing = undefined
      else failing ??= ctx.clock.now()
      const own = now.invocation !== before.invocation
      if (failing !== undefined && (own || ctx.clock.now() - failing >= steady))
        await fail('unit_failed', `has failed (\`${now.result}\`)`, now)
    }
    if (ctx.clock.now() - began >= limit)
      await fail('unit_timeout', `is \`${now.active} (${now.sub})\` after ${shownDuration(limit)}`, now)
    ctx.progress(`${now.active} (${now.sub})`)
    await ctx.clock.sleep(pause, signal)
  }

  async function fail(code: string, why: string, { active, sub }: Unit): Promise<never> {
    const journal = await journalOf(ctx, params, before.now, signal)
    const said = journal
      .slice(-5)
      .map((line) => `\n  ${line}`)
      .join('')
    throw new StepFailure(code, `\`${params['unit'] as string}\` on \`${hostOf(params)}\` ${why}${said}`, {
      detail: { active_state: active, sub_state: sub, restarts, journal },
      hint: `\`journalctl -u ${params['unit'] as string}\` there tells more`,
    })
  }
}

/** A one-shot service is done when it has ended well; all others run. */
function reached(state: State, before: Unit, now: Unit): boolean {
  if (state === 'stopped') return isStopped(now)
  if (now.type === 'oneshot' && now.active === 'inactive' && now.result === 'success') return state !== 'reloaded'
  return isStarted(now) && (state === 'reloaded' || now.invocation !== before.invocation)
}

function resultOf(params: JsonObject, now: Unit, changed: boolean): JsonObject {
  return {
    host: hostOf(params),
    unit: params['unit'] as string,
    changed,
    active_state: now.active,
    sub_state: now.sub,
    enabled: isEnabled(now),
  }
}
