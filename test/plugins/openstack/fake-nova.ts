import type { JsonObject } from '../../../engine/json.ts'
import { type Asked, type Reply, type Routes, versions } from '../../support/openstack-server.ts'

export const id = '11111111-2222-3333-4444-555555555555'
export const request = 'req-0001'
/** The id of a volume, or of an image. */
export const volume = '99999999-2222-3333-4444-555555555555'

/** What the cloud shows at one look. */
export interface Frame {
  readonly status?: string
  readonly vm?: string
  readonly task?: string | null
  readonly host?: string
  readonly more?: JsonObject
  readonly migrations?: readonly JsonObject[]
  /** Of `servers/ID/migrations`. */
  readonly remaining?: number
  /** More of what stands there. */
  readonly progress?: JsonObject
  readonly events?: readonly JsonObject[]
  readonly message?: string | null
  readonly gone?: true
  /** How the server answers to this look instead. */
  readonly reply?: Reply
}

export interface Script {
  /** Before anything is asked for. */
  readonly before?: Frame
  /** After it was asked for: one frame a look, the last one stays. */
  readonly after?: readonly Frame[]
  /** The newest version that the cloud speaks. */
  readonly speaks?: string
  /** How it answers to the request. */
  readonly answer?: Reply
  /** How it answers to the first requests instead, one after the other. */
  readonly answers?: readonly Reply[]
  /** What was done to the server, as `os-instance-actions` lists it. */
  readonly actions?: readonly JsonObject[]
  readonly routes?: Routes
  /** The time by its clock when it shows the server. */
  readonly date?: string
}

const vmStates: { readonly [status: string]: string } = {
  ACTIVE: 'active',
  SHUTOFF: 'stopped',
  PAUSED: 'paused',
  SUSPENDED: 'suspended',
  VERIFY_RESIZE: 'resized',
  RESCUE: 'rescued',
  SHELVED: 'shelved',
  SHELVED_OFFLOADED: 'shelved_offloaded',
  ERROR: 'error',
  BUILD: 'building',
}

/** A Nova with one server, which goes through what a test says, look by look. */
export function fakeNova({
  before = {},
  after = [],
  speaks = '2.93',
  answer,
  answers = [],
  actions = [],
  routes,
  date,
}: Script): Routes {
  let asked = false
  let look = 0
  const start: Frame = { status: 'ACTIVE', task: null, host: 'a', ...before }
  const now = (): Frame =>
    asked && after.length > 0 ? { ...start, ...after[Math.min(look, after.length - 1)] } : start
  let times = 0
  const change = (): Reply => {
    asked = true
    const first = answers[times]
    times += 1
    if (first) return first
    return { status: 202, headers: { 'x-openstack-request-id': request }, ...answer }
  }
  const action = () => ({
    action: 'whatever',
    request_id: request,
    instance_uuid: id,
    user_id: 'u1',
    start_time: '2026-03-01T12:00:00.000000',
    message: now().message ?? null,
    events: [...(now().events ?? [])],
  })
  return {
    'GET /compute/v2.1/': versions('v2.1', '2.1', speaks),
    [`GET /compute/v2.1/servers/${id}`]: () => {
      const frame = now()
      if (asked) look += 1
      if (frame.reply) return frame.reply
      if (frame.gone)
        return { status: 404, json: { itemNotFound: { code: 404, message: 'Instance could not be found.' } } }
      const status = frame.status ?? 'ACTIVE'
      return {
        headers: { date: date ?? 'Sun, 01 Mar 2026 12:00:00 GMT' },
        json: {
          server: {
            id,
            name: 'vm1',
            status,
            'OS-EXT-STS:vm_state': frame.vm ?? vmStates[status] ?? 'active',
            'OS-EXT-STS:task_state': frame.task ?? null,
            'OS-EXT-SRV-ATTR:host': frame.host ?? null,
            host_status: 'UP',
            locked: false,
            locked_reason: null,
            image: { id: 'i1' },
            flavor: { original_name: 'm1.small', ram: 2048 },
            ...frame.more,
          },
        },
      }
    },
    'GET /compute/v2.1/os-services': {
      json: { services: ['a', 'b'].map((host) => ({ binary: 'nova-compute', host, state: 'up', status: 'enabled' })) },
    },
    'GET /compute/v2.1/os-migrations': () => ({ json: { migrations: [...(now().migrations ?? [])] } }),
    [`GET /compute/v2.1/servers/${id}/migrations`]: () => ({
      json: {
        migrations: [{ id: 7, status: 'running', memory_remaining_bytes: now().remaining ?? null, ...now().progress }],
      },
    }),
    [`GET /compute/v2.1/servers/${id}/os-instance-actions`]: { json: { instanceActions: [...actions] } },
    [`GET /compute/v2.1/servers/${id}/os-instance-actions/${request}`]: () => ({ json: { instanceAction: action() } }),
    [`POST /compute/v2.1/servers/${id}/action`]: change,
    [`POST /compute/v2.1/servers/${id}/os-volume_attachments`]: change,
    [`POST /compute/v2.1/servers/${id}/migrations/7/action`]: change,
    [`DELETE /compute/v2.1/servers/${id}`]: change,
    [`DELETE /compute/v2.1/servers/${id}/os-volume_attachments/${volume}`]: change,
    [`DELETE /compute/v2.1/servers/${id}/migrations/7`]: change,
    ...routes,
  }
}

export const migration = (status: string, more: JsonObject = {}): JsonObject => ({
  id: 7,
  instance_uuid: id,
  migration_type: 'live-migration',
  status,
  source_compute: 'a',
  dest_compute: 'b',
  created_at: '2026-03-01T12:00:01.000000',
  ...more,
})

export const event = (result: 'Success' | 'Error' | null, details: string | null = null): JsonObject => ({
  event: 'compute_it',
  start_time: '2026-03-01T12:00:00.000000',
  finish_time: result === null ? null : '2026-03-01T12:00:02.000000',
  result,
  traceback: null,
  details,
})

/** What was sent to change something: method, path below the service, version, body. */
export function changesIn(asked: readonly Asked[]) {
  return asked
    .filter(({ method }) => method !== 'GET')
    .map(({ method, path, headers, body }) => ({
      what: `${method} ${path.replace('/compute/v2.1', '')}`,
      version: headers['x-openstack-nova-api-version'],
      body,
    }))
}
