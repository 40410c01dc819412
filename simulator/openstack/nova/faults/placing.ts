import type { Fault } from '../../../fault.ts'
import { takes } from '../../../parameters.ts'
import { uuidOf } from '../../../random.ts'
import type { CloudState } from '../../cloud.ts'
import { projectIdOf, userIdOf } from '../../keystone/state.ts'
import { allocationsOf, providersOf, sum } from '../../placement/state.ts'
import type { NovaServer } from '../state.ts'
import { serversOn } from '../usage.ts'
import { computeOn, host, running, server, serverNamed } from './fault.ts'

/** What keeps the scheduler from placing a server on another host. */
export const placingFaults: readonly Fault[] = [
  {
    name: 'nova.no_capacity',
    summary: 'The other hosts are nearly full: the last servers of a host do not fit anywhere else',
    params: takes({
      host,
      short: { type: 'integer', description: 'How many of its running servers do not fit', minimum: 1, default: 1 },
    }),
    apply({ cloud }, { host, short }) {
      computeOn(cloud, host)
      fillOthers(cloud, String(host), Number(short))
    },
  },
  {
    name: 'nova.servers_kept_apart',
    summary: 'Servers are in a group that must stay apart: no two of them on one host',
    params: takes(
      {
        servers: {
          type: 'array',
          items: { type: 'string' },
          description: 'The servers, by name or id; a running one of each compute host unless told',
        },
      },
      ['servers'],
    ),
    apply({ cloud }, { servers }) {
      const members = Array.isArray(servers)
        ? servers.map((name) => serverNamed(cloud, name))
        : cloud.nova.hypervisors.flatMap(({ host }) => running(cloud).find((one) => one.host === host) ?? [])
      addGroup(cloud, 'apart', 'anti-affinity', members)
    },
  },
  {
    name: 'nova.servers_kept_together',
    summary: 'Servers are in a group that must stay together, so the scheduler moves none of them away from the others',
    params: takes({
      servers: { type: 'array', items: { type: 'string' }, description: 'The servers, by name or id', minItems: 1 },
    }),
    apply({ cloud }, { servers }) {
      const members = (servers as readonly string[]).map((name) => serverNamed(cloud, name))
      addGroup(cloud, 'together', 'affinity', members)
    },
  },
  {
    name: 'nova.flavor_spec',
    summary: 'The flavor of a server says more than how large it is: a device, processors of its own',
    params: takes({
      server,
      name: { type: 'string', description: 'The extra spec: `hw:cpu_policy`, `resources:VGPU`' },
      value: { type: 'string', description: 'What it says', default: '1' },
    }),
    apply({ cloud }, { server: name, name: spec, value }) {
      const found = serverNamed(cloud, name)
      // as a server keeps it: the copy it was made with
      found.flavor = { ...found.flavor, extraSpecs: { ...found.flavor.extraSpecs, [String(spec)]: String(value) } }
    },
  },
]

function addGroup(
  { nova }: CloudState,
  name: string,
  policy: 'affinity' | 'anti-affinity',
  members: readonly NovaServer[],
): void {
  const [first] = members
  if (!first) throw new Error('no server runs that could be in a group')
  nova.groups.push({
    id: uuidOf(`group/${members.map(({ id }) => id).join()}`),
    name,
    policy,
    rules: {},
    project: first.project,
    user: first.user,
    members: members.map(({ id }) => id),
  })
}

/** One other host has room for all running servers but the smallest, as often as told; the rest have none. */
function fillOthers(cloud: CloudState, host: string, short: number): void {
  const sizes = serversOn(cloud.nova, host)
    .filter(({ vmState }) => vmState === 'active')
    .map(({ flavor }) => flavor.ram)
    .sort((a, b) => a - b)
  if (sizes.length < short) throw new Error(`only ${sizes.length} servers run on \`${host}\``)
  const total = (list: readonly number[]) => list.reduce((sum, ram) => sum + ram, 0)
  let room = total(sizes) - total(sizes.slice(0, short))
  for (const provider of providersOf(cloud).filter((one) => one.host !== host)) {
    const used = sum(allocationsOf(cloud).filter((one) => one.host === provider.host))['MEMORY_MB'] ?? 0
    const free = provider.memoryMb - provider.reservedMb - used
    const left = Math.min(room, free)
    room = 0
    if (free <= left) continue
    cloud.placement.leftovers.push({
      consumer: uuidOf(`crowd/${provider.host}`),
      host: provider.host,
      resources: { MEMORY_MB: free - left },
      project: projectIdOf('ci'),
      user: userIdOf('ci-owner'),
    })
  }
}
