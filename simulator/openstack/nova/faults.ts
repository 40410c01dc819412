import type { Fault } from '../../fault.ts'
import { uuidOf } from '../../random.ts'
import type { CloudState } from '../cloud.ts'
import { projectIdOf, userIdOf } from '../keystone/state.ts'
import { hour, minute } from '../time.ts'
import type { NovaServer, NovaServiceRecord } from './state.ts'

const host = { type: 'string', description: 'The compute host, as Nova names it' } as const
const count = { type: 'integer', description: 'How many servers', minimum: 1, default: 1 } as const

export const novaFaults: readonly Fault[] = [
  {
    name: 'nova.compute_down',
    summary: 'A compute service runs but reports no more; Nova shows it as down',
    params: {
      type: 'object',
      properties: {
        host,
        minutes: { type: 'integer', description: 'How long ago it was last heard of', minimum: 2, default: 20 },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, minutes }) {
      const now = clock.now()
      computeOn(cloud, host).silent = { from: now - Number(minutes) * minute, noticed: now }
    },
  },
  {
    name: 'nova.compute_disabled',
    summary: 'Somebody took a compute host out of service',
    params: {
      type: 'object',
      properties: {
        host,
        reason: { type: 'string', description: 'The reason they left; none unless told' },
        since: { type: 'integer', description: 'How many hours ago', minimum: 0, default: 48 },
      },
      required: ['host'],
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, reason, since }) {
      const service = computeOn(cloud, host)
      service.disabled = true
      service.disabledReason = reason === undefined ? null : String(reason)
      service.touchedAt = clock.now() - Number(since) * hour
    },
  },
  {
    name: 'nova.servers_in_error',
    summary: 'Servers are in status ERROR, each with the fault that put it there',
    params: { type: 'object', properties: { count }, additionalProperties: false },
    apply({ cloud, clock }, { count }) {
      const at = clock.now() - 25 * minute
      for (const server of running(cloud).slice(0, Number(count))) {
        const message = 'internal error: qemu unexpectedly closed the monitor'
        const details = `libvirt.libvirtError: ${message}`
        const fault = { code: 500, message, created: at, details }
        Object.assign(server, { vmState: 'error', powerState: 4, taskState: null, fault, updatedAt: at })
      }
    },
  },
  {
    name: 'nova.servers_stuck',
    summary: 'Servers have been in the middle of a task for hours',
    params: {
      type: 'object',
      properties: {
        count,
        task_state: { type: 'string', description: 'The task', default: 'powering-off' },
        hours: { type: 'integer', description: 'For how long', minimum: 1, default: 3 },
      },
      additionalProperties: false,
    },
    apply({ cloud, clock }, { count, task_state, hours }) {
      for (const server of running(cloud).slice(-Number(count))) {
        Object.assign(server, { taskState: String(task_state), updatedAt: clock.now() - Number(hours) * hour })
      }
    },
  },
  {
    name: 'nova.failed_migration',
    summary: 'A live migration broke off; the server is still where it was',
    params: {
      type: 'object',
      properties: {
        host: { ...host, description: 'The host it should have left; the first one with a server unless told' },
        status: {
          type: 'string',
          description: 'How it ended',
          enum: ['error', 'failed', 'cancelled'],
          default: 'error',
        },
      },
      additionalProperties: false,
    },
    apply({ cloud, clock }, { host, status }) {
      const server = running(cloud).find((one) => host === undefined || one.host === host)
      if (!server?.host) throw new Error(`no server runs on \`${host}\``)
      const { migrations, hypervisors, flavors } = cloud.nova
      const id = migrations.length + 1
      migrations.push({
        id,
        uuid: uuidOf(`migration/${id}`),
        server: server.id,
        kind: 'live-migration',
        status: String(status),
        source: server.host,
        destination: hypervisors.find((one) => one.host !== server.host)?.host ?? null,
        flavor: flavors.indexOf(server.flavor) + 1,
        user: userIdOf('admin'),
        project: projectIdOf('admin'),
        createdAt: clock.now() - 2 * hour,
        updatedAt: clock.now() - 2 * hour + 4 * minute,
      })
    },
  },
]

function computeOn({ nova }: CloudState, host: unknown): NovaServiceRecord {
  const service = nova.services.find((one) => one.binary === 'nova-compute' && one.host === host)
  if (!service) throw new Error(`there is no compute host \`${host}\``)
  return service
}

const running = ({ nova }: CloudState): NovaServer[] => nova.servers.filter(({ vmState }) => vmState === 'active')
