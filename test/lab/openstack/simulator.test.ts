import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Rehearsal } from '../../../simulator/contract.ts'
import { loadScenario, startRehearsal } from '../../../simulator/index.ts'
import { type Furniture, furnish } from '../support/furniture.ts'
import { type Answer, type Cloud, type CloudEntry, openCloud, openSession, request } from '../support/openstack.ts'
import { differencesOfShape } from '../support/shape.ts'

/** What the two clouds are asked. `root`: below the origin of the service, without its version. */
interface Question {
  readonly service: 'identity' | 'compute' | 'network' | 'volumev3' | 'image' | 'placement'
  readonly path: string
  readonly version?: string
  readonly root?: true
  readonly token?: 'none' | 'wrong'
}
type Service = Question['service']

const services: readonly Service[] = ['identity', 'compute', 'network', 'volumev3', 'image', 'placement']
const roots = services.map((service): Question => ({ service, path: '/', root: true, token: 'none' }))
const health = services.map((service): Question => ({ service, path: '/healthcheck', root: true, token: 'none' }))
const anyList: { readonly [service in Service]: string } = {
  identity: '/projects',
  compute: '/servers',
  network: '/v2.0/networks',
  volumev3: '/volumes',
  image: '/v2/images',
  placement: '/resource_providers',
}
const doors = services.flatMap((service): Question[] => [
  { service, path: anyList[service], token: 'none' },
  { service, path: anyList[service], token: 'wrong' },
])
const compute = (path: string, version = '2.92'): Question => ({
  service: 'compute',
  path,
  version: `compute ${version}`,
})
const placement = (path: string, version = '1.39'): Question => ({
  service: 'placement',
  path,
  version: `placement ${version}`,
})
const of = (service: Service, ...paths: string[]) => paths.map((path): Question => ({ service, path }))

const questions: Question[] = [
  ...roots,
  ...health,
  ...doors,
  { service: 'identity', path: '', token: 'none' },
  { service: 'compute', path: '/', token: 'none' },
  ...of('identity', '/services', '/endpoints', '/projects', '/domains', '/users', '/role_assignments', '/regions'),
  ...of('identity', '/projects/nosuch', '/nosuch', '/projects?bogus=1'),
  ...['2.1', '2.53', '2.69', '2.87', '2.88', '2.92'].flatMap((version) => [
    compute('/os-services', version),
    compute('/os-hypervisors/detail', version),
    compute('/servers/detail?all_tenants=1', version),
  ]),
  compute('/servers?all_tenants=1'),
  compute('/servers/detail?all_tenants=1&limit=1'),
  compute('/servers/SERVER'),
  compute('/servers/SERVER/os-instance-actions'),
  compute('/servers/SERVER/migrations'),
  compute('/servers/SERVER/os-interface'),
  compute('/flavors/detail?is_public=None'),
  compute('/os-migrations'),
  compute('/os-aggregates'),
  compute('/os-availability-zone/detail'),
  compute('/os-quota-sets/PROJECT'),
  compute('/limits'),
  compute('/servers/nosuch'),
  compute('/nosuch'),
  compute('/servers/detail?limit=-1'),
  compute('/servers/detail?marker=nosuch'),
  compute('/servers/detail?bogus=1'),
  compute('/servers/detail?changes-since=junk'),
  compute('/servers/detail?sort_key=bogus'),
  compute('/servers/detail?all_tenants=1&status=NOSUCH'),
  compute('/servers', '2.999'),
  compute('/servers', 'junk'),
  ...of('network', '/v2.0/agents', '/v2.0/networks', '/v2.0/subnets', '/v2.0/ports', '/v2.0/routers'),
  ...of(
    'network',
    '/v2.0/networks?limit=1',
    '/v2.0/network-ip-availabilities',
    '/v2.0/extensions',
    '/v2.0/quotas/PROJECT',
  ),
  ...of('network', '/v2.0/networks/NETWORK/dhcp-agents', '/v2.0/routers/ROUTER/l3-agents', '/v2.0/agents?fields=host'),
  ...of('network', '/v2.0/networks/nosuch', '/v2.0/nosuch', '/v2.0/networks?limit=-1', '/v2.0/networks?bogus=1'),
  ...of('volumev3', '/os-services', '/scheduler-stats/get_pools?detail=true', '/volumes/detail?all_tenants=1'),
  ...of('volumev3', '/snapshots/detail?all_tenants=1', '/backups/detail?all_tenants=1', '/volumes/VOLUME', '/types'),
  ...of('volumev3', '/volumes/nosuch', '/nosuch', '/volumes/detail?limit=-1', '/volumes/detail?bogus=1'),
  { service: 'volumev3', path: '/volumes', version: 'volume 3.999' },
  ...of('image', '/v2/images', '/v2/images?limit=1', '/v2/images?status=queued'),
  ...of('image', '/v2/images/nosuch', '/v2/nosuch', '/v2/images?limit=-1', '/v2/images?marker=nosuch'),
  { service: 'image', path: '/nosuch', root: true },
  placement('/resource_providers'),
  placement('/resource_providers/PROVIDER/inventories'),
  placement('/resource_providers/PROVIDER/usages'),
  placement('/resource_providers/PROVIDER/aggregates'),
  placement('/resource_providers/PROVIDER/allocations'),
  placement('/resource_providers/nosuch'),
  placement('/nosuch'),
  placement('/resource_providers?bogus=1'),
  placement('/resource_providers', '1.999'),
  placement('/resource_providers', 'junk'),
]

interface Side {
  readonly cloud: Cloud
  readonly names: { readonly [placeholder: string]: string }
}
let real: Side
let simulated: Side
let furniture: Furniture
let rehearsal: Rehearsal

beforeAll(async () => {
  const signal = AbortSignal.timeout(300_000)
  const cloud = await openCloud('lab-admin', signal)
  furniture = await furnish(cloud, signal)
  real = { cloud, names: await namesIn(cloud, signal) }
  rehearsal = await startRehearsal({ scenario: await loadScenario('healthy') })
  const [entry] = Object.values(rehearsal.clouds.clouds) as CloudEntry[]
  if (!entry) throw new Error('the rehearsal names no cloud')
  const rehearsed = await openSession(entry, signal)
  simulated = { cloud: rehearsed, names: await namesIn(rehearsed, signal) }
})

afterAll(async () => {
  await rehearsal?.close()
  await furniture?.remove(AbortSignal.timeout(320_000))
})

for (const question of questions) {
  test(`the simulated cloud answers ${nameOf(question)} as the real one does`, async () => {
    const signal = AbortSignal.timeout(120_000)
    const [theirs, ours] = await Promise.all([put(question, real, signal), put(question, simulated, signal)])
    expect(differences(theirs, ours)).toEqual([])
  })
}

function nameOf({ service, path, version, root, token }: Question): string {
  const parts = [
    service,
    root ? 'origin' : '',
    path || '(base)',
    version ?? '',
    token ? `with ${token === 'none' ? 'no' : 'a wrong'} token` : '',
  ]
  return parts.filter(Boolean).join(' ')
}

function put(
  { service, path, version, root, token }: Question,
  { cloud, names }: Side,
  signal: AbortSignal,
): Promise<Answer> {
  const base = cloud.endpoints.get(service) ?? ''
  const filled = path.replace(/\b[A-Z]{6,}\b/g, (name) => names[name] ?? name)
  const secret = token === 'none' ? {} : { 'x-auth-token': token === 'wrong' ? 'wrong' : cloud.token }
  const headers = { ...secret, ...(version && { 'openstack-api-version': version }) }
  return request('GET', `${root ? new URL(base).origin : base}${filled}`, signal, { headers })
}

/** The ids that stand in a path as `SERVER`, `NETWORK`, … for this cloud. */
async function namesIn(cloud: Cloud, signal: AbortSignal): Promise<Side['names']> {
  const first = async (service: Service, path: string, list: string) => {
    const { body } = await cloud.ask(service, 'GET', path, signal)
    const item = (body as { [list: string]: { id?: string; uuid?: string }[] })[list]?.[0]
    return item?.id ?? item?.uuid ?? 'none'
  }
  return {
    SERVER: await first('compute', '/servers?all_tenants=1', 'servers'),
    NETWORK: await first('network', '/v2.0/networks', 'networks'),
    ROUTER: await first('network', '/v2.0/routers', 'routers'),
    VOLUME: await first('volumev3', '/volumes?all_tenants=1', 'volumes'),
    PROVIDER: await first('placement', '/resource_providers', 'resource_providers'),
    PROJECT: await first('identity', '/projects', 'projects'),
  }
}

/** The headers a client can act on; the others say how to cache, or what carries the connection. */
const told = [
  'location',
  'openstack-api-version',
  'retry-after',
  'www-authenticate',
  'x-compute-request-id',
  'x-openstack-nova-api-version',
  'x-openstack-request-id',
]

function differences(theirs: Answer, ours: Answer): string[] {
  const found: string[] = []
  if (theirs.status !== ours.status) found.push(`status: really ${theirs.status}, simulated ${ours.status}`)
  const type = (answer: Answer) => (answer.headers['content-type'] ?? 'none').split(';')[0]
  if (type(theirs) !== type(ours)) found.push(`content type: really ${type(theirs)}, simulated ${type(ours)}`)
  for (const name of told) {
    if (name in theirs.headers && !(name in ours.headers)) found.push(`header ${name}: lacking in the simulator`)
    if (!(name in theirs.headers) && name in ours.headers) found.push(`header ${name}: not in the real answer`)
  }
  return [...found, ...differencesOfShape(theirs.body, ours.body)]
}
