import { type ActionContext, type Preview, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, type ServiceAnswer, versionFor } from './call.ts'
import { paramsOf } from './fields.ts'
import { findServer, serverParam, uuid } from './find-server.ts'
import { type Attempt, noHostHint, serverOrGone } from './follow.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { gone, idOf, nameOf, type Operation, type Prepared, resultOf, toTheEnd } from './operation.ts'
import { settled } from './operation-settled.ts'
import { migrationsOf } from './records.ts'
import { serverItem } from './server-item.ts'
import { cellIsDown, hostOf, sayState, taskOf, vmStateOf } from './server-state.ts'
import { type Session, sessionOf } from './session.ts'

/** An operation as an action. */
export function operationAction(operation: Operation): WorkAction {
  return {
    name: operation.name,
    summary: operation.summary,
    ...(operation.description !== undefined && { description: operation.description }),
    effect: operation.effect,
    ...(operation.idempotent && { idempotent: true }),
    params: paramsOf({ server: serverParam, ...operation.params }, ['server', ...(operation.required ?? [])]),
    result: closedObject({
      server: serverItem,
      changed: flag('False where what was wanted held already and nothing was done'),
      ...operation.result,
    }),
    examples: [{ server: 'vm1', ...operation.example }],

    async plan(ctx, params, signal): Promise<Preview> {
      const { ready, already } = await prepared(operation, ctx, params, signal)
      if (already && operation.removes) return { summary: `\`${nameOf(ready.server)}\` does not exist`, changes: [] }
      if (already) return { summary: `\`${nameOf(ready.server)}\`: ${sayState(ready.server)} already`, changes: [] }
      return operation.preview(ready)
    },

    async run(ctx, params, signal): Promise<Json> {
      const { ready, already, migrations, underWay } = await prepared(operation, ctx, params, signal)
      const { session, server } = ready
      if (already) return resultOf(operation, { server, migration: migrations?.[0], more: {} }, false)
      const before: Attempt = {
        server: idOf(server),
        before: server,
        params,
        facts: ready.found,
        known: new Set(operation.migrates?.own ? migrations?.map(({ id }) => Number(id)) : []),
      }
      if (underWay) return await toTheEnd(operation, session, before, signal)
      const asked = await ask(operation, ready, signal)
      if (asked === 'holds') {
        const { server: now } = await findServer(session, idOf(server), signal)
        return resultOf(operation, { server: now, migration: undefined, more: {} }, false)
      }
      const request = asked.headers['x-openstack-request-id'] ?? asked.headers['x-compute-request-id']
      const attempt: Attempt = {
        ...before,
        facts: { ...before.facts, ...operation.answered?.(asked) },
        ...(request !== undefined && { request }),
      }
      return await toTheEnd(operation, session, attempt, signal)
    },

    settled: (ctx, params, signal) => settled(operation, ctx, params, signal),
  }
}

/** The server as it is now, and the reasons not to begin. */
async function prepared(operation: Operation, ctx: ActionContext, params: JsonObject, signal: AbortSignal) {
  const session = await sessionOf(ctx, params)
  const wanted = String(params['server'])
  // an id names one server for ever; a name may just be written wrong
  const server =
    operation.removes && uuid.test(wanted)
      ? ((await serverOrGone(session, wanted, signal)) ?? gone(wanted).server)
      : (await findServer(session, wanted, signal)).server
  if (cellIsDown(server)) throw unreachableCell(server)
  const migrations = operation.migrates && (await migrationsOf(session, idOf(server), signal))
  const task = taskOf(server)
  const ready = (found: JsonObject): Prepared => ({ session, server, params, found })
  if (task !== null && operation.underWay?.includes(task))
    return { ready: ready({}), migrations, already: false, underWay: true }
  if (task !== null && !operation.breaksInto?.(task, params)) throw busy(server, task)
  if (operation.runs) refuseSilentHost(server)
  if (operation.holds?.(server, params, migrations))
    return { ready: ready({}), migrations, already: true, underWay: false }
  refuseState(operation, server, params)
  if (operation.needsHost !== false) refuseSilentHost(server)
  // a dry run, too, says that the cloud is too old for it
  await versionFor(session, 'compute', operation.request(ready({})).versions, signal)
  const found = (await operation.prepare?.({ session, server, params }, signal)) ?? {}
  return { ready: ready(found), migrations, already: false, underWay: false }
}

function unreachableCell(server: JsonObject): StepFailure {
  return new StepFailure('cell_down', `the cell of \`${idOf(server)}\` does not answer, so nobody knows its state`, {
    hint: 'look at the database and the message queue of the cell',
    detail: { server: idOf(server) },
  })
}

function busy(server: JsonObject, task: string): StepFailure {
  return new StepFailure('busy', `\`${nameOf(server)}\` is ${sayState(server)}: something else is being done to it`, {
    hint: 'wait until that is over, and look again',
    detail: { server: idOf(server), status: server['status'] ?? null, task_state: task },
  })
}

function refuseState({ from, name }: Operation, server: JsonObject, params: JsonObject): void {
  const allowed = typeof from === 'function' ? from(params) : from
  const state = vmStateOf(server)
  if (allowed === undefined || allowed.includes(state)) return
  const verb = name.split('.').at(-1)
  throw new StepFailure(
    'wrong_state',
    `\`${nameOf(server)}\` is ${sayState(server)}; \`${verb}\` works from ${allowed.map((one) => `\`${one}\``).join(', ')}`,
    { detail: { server: idOf(server), status: server['status'] ?? null, vm_state: state, allowed: [...allowed] } },
  )
}

/** `DOWN`: somebody declared it down; `UNKNOWN`: it does not report. Only an administrator is told. */
function refuseSilentHost(server: JsonObject): void {
  const status = server['host_status']
  if (status !== 'DOWN' && status !== 'UNKNOWN') return
  throw new StepFailure(
    'host_down',
    `the compute service of \`${hostOf(server)}\` ${status === 'DOWN' ? 'was declared down' : 'does not report'}: Nova would accept this, and nothing would happen`,
    {
      hint: 'bring nova-compute back there, or evacuate the server once the host is surely off',
      detail: { server: idOf(server), host: hostOf(server), host_status: status },
    },
  )
}

/** How often it is asked for when something else was faster. */
const tries = 3

/**
 * Asks for it. A 409 means that the server is no longer as it was when we looked: what is wanted may hold by now. What
 * somebody else has begun is let end; then, if the server is where it was and as it has to be, it is asked for again.
 */
async function ask(
  operation: Operation,
  it: Prepared,
  signal: AbortSignal,
  left = tries,
): Promise<ServiceAnswer | 'holds'> {
  const { session, server, params } = it
  const { versions, path = '/action', method = 'POST', body } = operation.request(it)
  const version = await versionFor(session, 'compute', versions, signal)
  const id = idOf(server)
  try {
    const answer = await call(
      session,
      {
        service: 'compute',
        method,
        path: `/servers/${segment(id)}${path}`,
        microversion: { min: version, max: version },
        ...(body && { body: body(version) }),
      },
      signal,
    )
    // a rescue or a rebuild hands out a password
    const password = textAt(answer.body, 'adminPass') ?? textAt(answer.body, 'server', 'adminPass')
    if (password !== undefined) session.ctx.secrets.add('password of a server', password)
    return answer
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    if (/no valid host/i.test(error.message) && error.status === 'failed')
      throw new StepFailure('no_valid_host', error.message, {
        hint: noHostHint,
        ...(error.detail !== undefined && { detail: error.detail }),
        cause: error,
      })
    if (error.code !== 'conflict') throw error
    const now = await serverOrGone(session, id, signal)
    if (!now) throw new StepFailure('not_found', `\`${nameOf(server)}\` is gone`, { cause: error })
    const migrations = operation.migrates && (await migrationsOf(session, id, signal))
    if (taskOf(now) === null && operation.holds?.(now, params, migrations)) return 'holds'
    if (taskOf(now) !== null && left > 1) {
      const rested = await atRest(session, now, signal)
      if (hostOf(rested) === hostOf(server)) {
        refuseState(operation, rested, params)
        return ask(operation, { ...it, server: rested }, signal, left - 1)
      }
    }
    throw new StepFailure('state_changed', `${error.message}; \`${nameOf(now)}\` is ${sayState(now)} now`, {
      hint: 'look again before you go on',
      detail: {
        server: id,
        status: now['status'] ?? null,
        vm_state: vmStateOf(now),
        task_state: taskOf(now),
        locked: now['locked'] ?? null,
      },
      cause: error,
    })
  }
}

/** How often it is looked whether something else is over, and how long between; milliseconds. */
const looks = 60
const betweenLooks = 5_000

/** The server once nothing is done to it any more, or as it is when that takes too long. */
async function atRest(session: Session, server: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  let now = server
  for (let look = 0; look < looks && taskOf(now) !== null; look += 1) {
    await session.ctx.clock.sleep(betweenLooks, signal)
    const found = await serverOrGone(session, idOf(server), signal)
    if (!found) throw new StepFailure('not_found', `\`${nameOf(server)}\` is gone`)
    now = found
  }
  if (taskOf(now) !== null) throw busy(now, taskOf(now) ?? '')
  return now
}
