import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { momentIn, pageOf } from '../http/paging.ts'
import { micro } from '../time.ts'
import { serverOf } from './find.ts'
import type { ActionEvent, InstanceAction } from './state.ts'

/** `os-instance-actions`: what was done to a server, newest first, the events of each as well. */
export function instanceActionRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/servers/:id/os-instance-actions',
      query: { since: 58, names: ['limit', 'marker', 'changes-since'], later: { 'changes-before': 66 } },
      handle: (request) => list(world, request),
    },
    { method: 'GET', path: '/servers/:id/os-instance-actions/:request', handle: (request) => one(world, request) },
  ]
}

function list(world: CloudWorld, request: ApiRequest): Reply {
  const all = actionsOf(world, request).map((action) => ({ id: action.requestId, action }))
  if (request.version < 58) return json(200, { instanceActions: all.map(({ action }) => view(action, request)) })
  const since = momentIn(request.query, 'changes-since') ?? Number.NEGATIVE_INFINITY
  const before = momentIn(request.query, 'changes-before') ?? Number.POSITIVE_INFINITY
  const found = all.filter(({ action: { updatedAt } }) => updatedAt >= since && updatedAt <= before)
  const page = pageOf(found, request, { max: 1000 })
  const instanceActions = page.items.map(({ action }) => view(action, request))
  return json(200, { instanceActions, ...(page.next && { links: [{ rel: 'next', href: page.next }] }) })
}

function one(world: CloudWorld, request: ApiRequest): Reply {
  const wanted = request.params['request'] ?? ''
  const action = actionsOf(world, request).find(({ requestId }) => requestId === wanted)
  if (!action) throw new ApiFailure(404, `Action ${wanted} not found`)
  const showEvents = request.version >= 51 || request.token.roles.includes('admin')
  const events = action.events.toReversed().map((event) => eventView(event, request))
  return json(200, { instanceAction: { ...view(action, request), ...(showEvents && { events }) } })
}

function actionsOf(world: CloudWorld, request: ApiRequest): InstanceAction[] {
  const { id } = serverOf(world, request)
  return world.cloud.nova.actions.filter(({ server }) => server === id).sort((a, b) => b.startedAt - a.startedAt)
}

const view = (action: InstanceAction, { version }: ApiRequest): object => ({
  action: action.action,
  instance_uuid: action.server,
  request_id: action.requestId,
  user_id: action.user,
  project_id: action.project,
  start_time: micro(action.startedAt),
  message: action.message,
  ...(version >= 58 && { updated_at: micro(action.updatedAt) }),
})

function eventView(event: ActionEvent, { version, token }: ApiRequest): object {
  const admin = token.roles.includes('admin')
  return {
    event: event.event,
    start_time: micro(event.startedAt),
    finish_time: event.finishedAt === null ? null : micro(event.finishedAt),
    result: event.result,
    traceback: null,
    ...(version >= 62 && { hostId: event.host ?? '', ...(admin && { host: event.host }) }),
    ...(version >= 84 && { details: event.details }),
  }
}
