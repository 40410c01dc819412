import { StepFailure } from '../../engine/action/contract.ts'
import { text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { refuseWrongHost } from './chosen-host.ts'
import { orNull } from './fields.ts'
import { arrives, notYet, restsIn } from './judges.ts'
import { nameOf, type Operation } from './operation.ts'
import { hostOf, vmStateOf } from './server-state.ts'
import { atLeast, computeVersions } from './versions.ts'

const minute = 60_000

const shelve: Operation = {
  name: 'openstack.server.shelve',
  summary: 'puts a server away as an image, and waits until it is shelved',
  description: 'The cloud takes it off its host at once or after a while; it may come back on another one.',
  effect: 'change',
  idempotent: true,
  action: 'shelve',
  from: ['active', 'stopped', 'paused', 'suspended'],
  underWay: ['shelving', 'shelving_image_pending_upload', 'shelving_image_uploading', 'shelving_offloading'],
  holds: (server) => restsIn(server, 'shelved', 'shelved_offloaded'),
  request: () => ({ versions: computeVersions, body: () => ({ shelve: null }) }),
  judge: arrives('shelved', 'shelved_offloaded'),
  limit: () => 60 * minute,
  preview: ({ server }) => ({
    summary: `would shelve \`${nameOf(server)}\``,
    changes: [{ path: `${nameOf(server)}.status`, before: server['status'] ?? null, after: 'SHELVED' }],
  }),
}

const shelveOffload: Operation = {
  name: 'openstack.server.shelve_offload',
  summary: 'takes a shelved server off its host, and waits until it is there no more',
  description:
    'Only an administrator may. Many clouds do it by themselves, at once or some time after a server was shelved.',
  effect: 'change',
  idempotent: true,
  action: 'shelveOffload',
  from: ['shelved'],
  underWay: ['shelving_offloading'],
  holds: (server) => restsIn(server, 'shelved_offloaded'),
  request: () => ({ versions: computeVersions, body: () => ({ shelveOffload: null }) }),
  judge: arrives('shelved_offloaded'),
  limit: () => 60 * minute,
  preview: ({ server }) => ({
    summary: `would take \`${nameOf(server)}\` off \`${hostOf(server)}\``,
    changes: [{ path: `${nameOf(server)}.host`, before: hostOf(server), after: null }],
  }),
}

const placeAsked = ({ host, availability_zone: zone }: JsonObject): { [name: string]: Json } => ({
  ...(zone !== undefined && { availability_zone: zone }),
  ...(host !== undefined && { host }),
})

const unshelve: Operation = {
  name: 'openstack.server.unshelve',
  summary: 'brings a shelved server back, and waits until it is ACTIVE',
  effect: 'change',
  params: {
    host: text('The host it is to come to (needs version 2.91)', { minLength: 1 }),
    availability_zone: text('The zone it is to come to (needs version 2.77)', { minLength: 1 }),
  },
  result: { host: orNull(text('The host it is on now')) },
  action: 'unshelve',
  from: ['shelved', 'shelved_offloaded'],
  needsHost: false,
  holds: (server, { host }) => restsIn(server, 'active') && (host === undefined || hostOf(server) === host),
  prepare: async ({ session, server, params }, signal) => {
    if (Object.keys(placeAsked(params)).length > 0 && vmStateOf(server) === 'shelved')
      throw new StepFailure(
        'wrong_state',
        `\`${nameOf(server)}\` is still on its host: it cannot come back elsewhere`,
        {
          hint: 'leave out `host` and `availability_zone`, or wait until it is SHELVED_OFFLOADED',
        },
      )
    if (typeof params['host'] === 'string') await refuseWrongHost(session, params['host'], signal)
    return {}
  },
  request: ({ params }) => {
    const place = placeAsked(params)
    const min = 'host' in place ? '2.91' : 'availability_zone' in place ? '2.77' : '2.53'
    return {
      versions: {
        min,
        max: '2.100',
        what: `bringing a server back to a chosen ${'host' in place ? '`host`' : 'zone'}`,
      },
      body: (version) => ({
        unshelve: Object.keys(place).length === 0 ? null : atLeast(version, '2.77') ? place : null,
      }),
    }
  },
  judge: (look) => {
    const { seen, attempt } = look
    const { host } = attempt.params
    if (host !== undefined && restsIn(seen.server, 'active') && hostOf(seen.server) !== host) return 'idle'
    return restsIn(seen.server, 'active') ? 'done' : notYet(look)
  },
  limit: () => 60 * minute,
  preview: ({ server, params }) => ({
    summary: `would bring \`${nameOf(server)}\` back`,
    changes: [
      { path: `${nameOf(server)}.status`, before: server['status'] ?? null, after: 'ACTIVE' },
      { path: `${nameOf(server)}.host`, before: hostOf(server), after: params['host'] ?? 'a host of the scheduler' },
    ],
  }),
}

/** Putting a server away, off its host, and bringing it back. */
export const shelveOperations: readonly Operation[] = [shelve, shelveOffload, unshelve]
