import { StepFailure } from '../../engine/action/contract.ts'
import { flag } from '../../engine/action/define.ts'
import type { JsonObject } from '../../engine/json.ts'
import { computeServices } from './compute-services.ts'
import { hasMoved, notYet, restsIn } from './judges.ts'
import {
  broken,
  hostAsked,
  isThere,
  migrationStatus,
  minute,
  movedResult,
  movePreview,
  timeFor,
  toChosenHost,
  toHost,
} from './moving.ts'
import type { Operation } from './operation.ts'
import { hostOf } from './server-state.ts'
import { computeVersions } from './versions.ts'

const hostIn = (params: JsonObject): JsonObject => {
  const host = hostAsked(params)
  return host === undefined ? {} : { host }
}

export const evacuate: Operation = {
  name: 'openstack.server.evacuate',
  summary: 'builds a server anew on another host after its own has died, and waits until it is there',
  description:
    'Only for a host that is surely off: a guest that still runs there would run twice. Disks that are only on the old host are lost. The server comes up as it was; with `stopped` it stays shut off (needs version 2.95). Fails with `host_up` while the compute service of the host is up and was not declared down.',
  effect: 'destructive',
  params: { host: toHost, stopped: flag('Whether it is left shut off on the new host') },
  result: movedResult,
  action: 'evacuate',
  from: ['active', 'stopped', 'error'],
  needsHost: false,
  // on a host that is dead it is not where it should be, though that host was asked for
  holds: (server, params) => isThere(server, params) && !['DOWN', 'UNKNOWN'].includes(String(server['host_status'])),
  migrates: { types: ['evacuation'], own: true },
  prepare: async (it, signal) => {
    const { session, server } = it
    await toChosenHost(it, signal)
    const host = hostOf(server)
    const services = await computeServices(session, { host, binary: 'nova-compute' }, signal)
    const [service] = services
    if (!service) return {}
    if (service['state'] === 'up' && service['forced_down'] !== true)
      throw new StepFailure('host_up', `the compute service of \`${host}\` is up: nothing is evacuated from it`, {
        hint: 'move its servers with `openstack.server.live_migrate`; once the host is surely off, `openstack.compute_service.force_down`',
        detail: { server: server['id'] ?? null, host },
      })
    return {}
  },
  // below 2.95 it comes up as it was, from 2.95 on it stays shut off; `force` and `onSharedStorage` are never sent
  request: ({ params }) => ({
    versions:
      params['stopped'] === true
        ? { min: '2.95', max: '2.100', what: 'an evacuation that leaves the server `stopped`' }
        : { ...computeVersions, max: '2.94', what: 'an evacuation that brings the server up as it was' },
    body: () => ({ evacuate: hostIn(params) }),
  }),
  judge: (look) => {
    const { seen, attempt } = look
    const status = migrationStatus(look)
    if (['error', 'failed'].includes(status)) return broken(look)
    const rests =
      attempt.params['stopped'] === true ? restsIn(seen.server, 'stopped') : restsIn(seen.server, 'active', 'stopped')
    // for an instant the server shows ACTIVE with no task while it is still on the old host
    return ['done', 'completed'].includes(status) && rests && hasMoved(look) ? 'done' : notYet(look)
  },
  failure: 'migration_failed',
  grace: minute,
  limit: timeFor,
  preview: (it) => movePreview('build anew on another host', it),
}
