import {
  type ActionContext,
  type Preview,
  type Settled,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { closedObject, flag, text } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { call } from './call.ts'
import { computeServiceItem, computeServices } from './compute-services.ts'
import { paramsOf } from './fields.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { type Session, sessionOf } from './session.ts'
import { computeVersions } from './versions.ts'

/** What is set on the nova-compute of a host. */
interface Setting {
  readonly name: `openstack.compute_service.${string}`
  readonly summary: string
  readonly description?: string
  readonly params: { readonly [name: string]: Schema }
  readonly required: readonly string[]
  readonly example: JsonObject
  readonly holds: (service: JsonObject, params: JsonObject) => boolean
  /** Throws what speaks against it. */
  readonly refuse?: (service: JsonObject, params: JsonObject) => void
  readonly body: (params: JsonObject) => JsonObject
  /** The fields that change, and what they become. */
  readonly changes: (params: JsonObject) => JsonObject
}

const host = text('The host, exactly as Nova names it', { minLength: 1 })
const reasonOf = (service: JsonObject): string | undefined => textAt(service, 'disabled_reason')

const enable: Setting = {
  name: 'openstack.compute_service.enable',
  summary: 'lets the scheduler use a host again',
  description:
    'With `reason` only while the host is disabled for exactly that reason: what somebody else has disabled meanwhile stays so, and the step fails with `disabled_by_other`.',
  params: { host, reason: text('Only if it is disabled for exactly this reason', { minLength: 1 }) },
  required: ['host'],
  example: { host: 'compute-1', reason: 'rb:20260301T120000 firmware' },
  holds: (service) => service['status'] === 'enabled',
  refuse: (service, { reason }) => {
    if (reason !== undefined && reasonOf(service) !== reason) throw byOther(service, 'it stays disabled')
  },
  body: () => ({ status: 'enabled' }),
  changes: () => ({ status: 'enabled', disabled_reason: null }),
}

const disable: Setting = {
  name: 'openstack.compute_service.disable',
  summary: 'keeps the scheduler from using a host, with a reason; what runs there goes on',
  description: 'A host that is disabled for another reason is left alone: the step fails with `disabled_by_other`.',
  params: { host, reason: text('Why; whoever looks at the host reads it', { minLength: 1, maxLength: 255 }) },
  required: ['host', 'reason'],
  example: { host: 'compute-1', reason: 'rb:20260301T120000 firmware' },
  holds: (service, { reason }) => service['status'] === 'disabled' && reasonOf(service) === reason,
  refuse: (service) => {
    if (service['status'] === 'disabled') throw byOther(service, 'its reason is not replaced')
  },
  body: ({ reason = '' }) => ({ status: 'disabled', disabled_reason: reason }),
  changes: ({ reason = '' }) => ({ status: 'disabled', disabled_reason: reason }),
}

const forceDown: Setting = {
  name: 'openstack.compute_service.force_down',
  summary: 'declares the nova-compute of a host down, or takes that back',
  description:
    'Only a host that is surely off may be declared down: its servers can be evacuated then, and a guest that still runs would run twice. It cannot be taken back before a returned host has finished with the servers that were evacuated from it: that is waited for.',
  params: { host, forced_down: flag('Whether it is down, whatever it reports itself') },
  required: ['host', 'forced_down'],
  example: { host: 'compute-1', forced_down: true },
  holds: (service, { forced_down }) => (service['forced_down'] ?? false) === forced_down,
  body: ({ forced_down = true }) => ({ forced_down }),
  changes: ({ forced_down = true }) => ({ forced_down }),
}

function byOther(service: JsonObject, consequence: string): StepFailure {
  const reason = reasonOf(service)
  return new StepFailure(
    'disabled_by_other',
    `\`${String(service['host'])}\` is disabled for another reason (${reason === undefined ? 'none is given' : `\`${reason}\``}): ${consequence}`,
    { hint: 'ask whoever did it', detail: { host: service['host'] ?? null, disabled_reason: reason ?? null } },
  )
}

function settingAction(setting: Setting): WorkAction {
  return {
    name: setting.name,
    summary: setting.summary,
    ...(setting.description !== undefined && { description: setting.description }),
    effect: 'change',
    idempotent: true,
    params: paramsOf(setting.params, setting.required),
    result: closedObject({
      service: computeServiceItem,
      changed: flag('False where it was so already and nothing was done'),
    }),
    examples: [setting.example],
    async plan(ctx, params, signal): Promise<Preview> {
      const { service } = await looked(setting, ctx, params, signal)
      const name = String(params['host'])
      const verb = setting.name.split('.').at(-1)
      if (setting.holds(service, params)) return { summary: `\`${name}\`: it is so already`, changes: [] }
      const changes = Object.entries(setting.changes(params)).map(([field, after]) => ({
        path: `${name}.${field}`,
        before: service[field] ?? null,
        after,
      }))
      return { summary: `would ${verb} nova-compute on \`${name}\``, changes }
    },
    async run(ctx, params, signal): Promise<Json> {
      const { session, service } = await looked(setting, ctx, params, signal)
      if (setting.holds(service, params)) return { service, changed: false }
      return { service: await set(session, setting, service, params, signal), changed: true }
    },
    async settled(ctx, params, signal): Promise<Settled> {
      const session = await sessionOf(ctx, params)
      const service = await arrived(ctx, signal, async () => {
        const now = await serviceOn(session, String(params['host']), signal)
        return setting.holds(now, params) ? now : undefined
      })
      return service ? { happened: 'yes', result: { service, changed: true } } : { happened: 'no' }
    },
  }
}

async function looked(setting: Setting, ctx: ActionContext, params: JsonObject, signal: AbortSignal) {
  const session = await sessionOf(ctx, params)
  const service = await serviceOn(session, String(params['host']), signal)
  if (!setting.holds(service, params)) setting.refuse?.(service, params)
  return { session, service }
}

/** How long Nova is asked again for what it does not take yet, in milliseconds. */
const patience = 3 * 60_000
const pause = 5_000

/** Sets it, and looks until it shows. Asking twice for the same is the same as once. */
async function set(
  session: Session,
  setting: Setting,
  { id }: JsonObject,
  params: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { clock } = session.ctx
  const until = clock.now() + patience
  for (;;) {
    const refused = await put(session, id, setting.body(params), signal)
    const service = await serviceOn(session, String(params['host']), signal)
    if (setting.holds(service, params)) return service
    if (clock.now() + pause > until)
      throw (
        refused ??
        new StepFailure('operation_failed', `\`${String(params['host'])}\` was asked for it, and does not show it`, {
          detail: { host: params['host'] ?? null, status: service['status'] ?? null },
        })
      )
    await clock.sleep(pause, signal)
  }
}

async function put(session: Session, id: Json | undefined, body: JsonObject, signal: AbortSignal) {
  const path = `/os-services/${segment(id)}`
  try {
    await call(session, { service: 'compute', method: 'PUT', path, body, microversion: computeVersions }, signal)
    return undefined
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    // what a returned host has not finished with is refused as a bad request
    if (error.code === 'conflict' || /evacuation migration/.test(error.message)) return stillEvacuated(error)
    throw error
  }
}

function stillEvacuated(cause: StepFailure): StepFailure {
  return new StepFailure('not_yet', cause.message, {
    hint: 'nova-compute has to be started anew on that host: then it lets go of what was evacuated',
    ...(cause.detail !== undefined && { detail: cause.detail }),
    cause,
  })
}

/** The one nova-compute with exactly this host. Throws `not_found`, `ambiguous`, `cell_down`. */
async function serviceOn(session: Session, name: string, signal: AbortSignal): Promise<JsonObject> {
  const [service, ...others] = await computeServices(session, { host: name, binary: 'nova-compute' }, signal)
  if (!service)
    throw new StepFailure('not_found', `no nova-compute has the host \`${name}\``, {
      hint: 'write it exactly as `openstack.compute_service.list` shows it',
    })
  if (others.length > 0)
    throw new StepFailure('ambiguous', `${others.length + 1} nova-computes have the host \`${name}\``, {
      hint: 'did its name change once? Delete the record of the one that is gone',
    })
  if (service['status'] === 'UNKNOWN')
    throw new StepFailure('cell_down', `the cell of \`${name}\` does not answer, so nobody knows its state`, {
      hint: 'look at the database and the message queue of the cell',
    })
  return service
}

export const computeServiceActions: readonly WorkAction[] = [enable, disable, forceDown].map(settingAction)
