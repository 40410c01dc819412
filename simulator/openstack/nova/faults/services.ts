import type { Fault } from '../../../fault.ts'
import { takes } from '../../../parameters.ts'
import { uuidOf } from '../../../random.ts'
import { hour, minute } from '../../time.ts'
import { serversOn } from '../usage.ts'
import { computeOn, host } from './fault.ts'

/** What can be wrong with Nova's services and the hosts they stand for. */
export const serviceFaults: readonly Fault[] = [
  {
    name: 'nova.compute_down',
    summary: 'A compute service runs but reports no more; Nova shows it as down',
    params: takes({
      host,
      minutes: { type: 'integer', description: 'How long ago it was last heard of', minimum: 2, default: 20 },
    }),
    apply({ cloud, clock }, { host, minutes }) {
      const now = clock.now()
      computeOn(cloud, host).silent = { from: now - Number(minutes) * minute, noticed: now }
    },
  },
  {
    name: 'nova.compute_disabled',
    summary: 'Somebody took a compute host out of service',
    params: takes(
      {
        host,
        reason: { type: 'string', description: 'The reason they left; none unless told' },
        since: { type: 'integer', description: 'How many hours ago', minimum: 0, default: 48 },
      },
      ['reason'],
    ),
    apply({ cloud, clock }, { host, reason, since }) {
      const service = computeOn(cloud, host)
      service.disabled = true
      service.disabledReason = reason === undefined ? null : String(reason)
      service.touchedAt = clock.now() - Number(since) * hour
    },
  },
  {
    name: 'nova.old_release',
    summary: 'Nova is of an old release: it speaks no newer version than this',
    params: takes({
      minor: { type: 'integer', description: 'The second number of it: 67 for 2.67', minimum: 1, maximum: 95 },
    }),
    apply({ cloud }, { minor }) {
      cloud.nova.newest = Number(minor)
    },
  },
  {
    name: 'nova.cell_down',
    summary:
      'The database of the cell of a host does not answer: of its servers and its service Nova knows next to nothing',
    params: takes({ host }),
    apply({ cloud }, { host }) {
      cloud.nova.silentCells.add(computeOn(cloud, host).host)
    },
  },
  {
    name: 'nova.host_in_zone',
    summary: 'A compute host is in an availability zone of its own, and still in the aggregates that it was in',
    params: takes({
      host,
      zone: { type: 'string', description: 'The zone', default: 'west' },
      leaves: { type: 'boolean', description: 'Whether it is in those aggregates no more', default: false },
    }),
    apply({ cloud, clock }, { host: name, zone: wanted, leaves }) {
      const service = computeOn(cloud, name)
      const zone = String(wanted)
      const { host } = service
      service.zone = zone
      for (const server of serversOn(cloud.nova, host)) server.zone = zone
      if (leaves === true)
        for (const [index, one] of cloud.nova.aggregates.entries())
          cloud.nova.aggregates[index] = { ...one, hosts: one.hosts.filter((each) => each !== host) }
      cloud.nova.aggregates.push({
        ...{
          id: cloud.nova.aggregates.length + 1,
          uuid: uuidOf(`aggregate/${zone}/${host}`),
          name: zone,
          hosts: [host],
        },
        ...{ metadata: { availability_zone: zone }, zone, createdAt: clock.now() },
      })
    },
  },
  {
    name: 'nova.service_not_back',
    summary: 'The compute service of a host is not heard of after its next start, until it is started once more',
    params: takes({ host }),
    apply({ cloud }, { host }) {
      cloud.nova.mute.add(computeOn(cloud, host).host)
    },
  },
  {
    name: 'nova.service_renamed',
    summary: 'After its next boot a host calls itself otherwise, and a second compute service appears in Nova',
    params: takes({ host, name: { type: 'string', description: 'What it then calls itself' } }),
    apply({ cloud, estate, clock }, { host, name }) {
      const service = computeOn(cloud, host)
      const { services } = cloud.nova
      estate.machines.get(service.host)?.power.onBoot(() => {
        const id = Math.max(...services.map((one) => one.id)) + 1
        const uuid = uuidOf(`nova/service/nova-compute/${name}`)
        services.push({ ...service, host: String(name), id, uuid, started: clock.now(), disabled: false })
      })
    },
  },
]
