import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/lab.ts'
import { openCloud } from '../support/openstack.ts'

const soon = () => AbortSignal.timeout(240_000)

test('Keystone gives an administrator a token and a catalog of every service', async () => {
  const cloud = await openCloud('lab-admin', soon())
  expect([...cloud.endpoints.keys()].sort()).toEqual([
    'compute',
    'identity',
    'image',
    'network',
    'placement',
    'volumev3',
  ])
})

test('three compute services are up and enabled, and say so anew every few seconds', async () => {
  const signal = soon()
  const cloud = await openCloud('lab-admin', signal)
  const look = async () => {
    const { status, body } = await cloud.ask('compute', 'GET', '/os-services?binary=nova-compute', signal)
    expect(status).toBe(200)
    return (body as { services: Service[] }).services
  }
  const first = await look()
  const ours = first.filter((service) => service.host.startsWith('compute-'))
  expect(ours.map(({ host, state, status }) => `${host} ${state} ${status}`).sort()).toEqual([
    'compute-1 up enabled',
    'compute-2 up enabled',
    'compute-3 up enabled',
  ])
  const beats = new Map(ours.map((service) => [service.host, service.updated_at]))
  await eventually(async () => {
    const now = await look()
    return [...beats].every(([host, at]) => now.some((s) => s.host === host && s.updated_at > at)) || undefined
  }, signal)
})

test('the network agents are alive and the volume service is up', async () => {
  const signal = soon()
  const cloud = await openCloud('lab-admin', signal)
  const agents = (await cloud.ask('network', 'GET', '/v2.0/agents', signal)).body as { agents: Agent[] }
  const alive = agents.agents.filter((agent) => agent.alive).map((agent) => agent.binary)
  expect(alive.filter((binary) => binary === 'neutron-linuxbridge-agent').length).toBeGreaterThanOrEqual(4)
  expect(alive).toEqual(expect.arrayContaining(['neutron-dhcp-agent', 'neutron-l3-agent', 'neutron-metadata-agent']))
  const volumes = (await cloud.ask('volumev3', 'GET', '/os-services', signal)).body as { services: Service[] }
  expect(volumes.services.filter((s) => s.state === 'up').map((s) => s.binary)).toContain('cinder-volume')
})

test('a server can be made, is seen ACTIVE on the host that was asked for, and goes away again', async () => {
  const signal = soon()
  const cloud = await openCloud('lab-admin', signal)
  const flavors = (await cloud.ask('compute', 'GET', '/flavors', signal)).body as { flavors: Named[] }
  const images = (await cloud.ask('image', 'GET', '/v2/images?name=tiny', signal)).body as { images: Named[] }
  const headers = { 'x-openstack-nova-api-version': '2.74' }
  const server = {
    name: 'lab-check',
    flavorRef: flavors.flavors.find((flavor) => flavor.name === 'm1.nano')?.id,
    imageRef: images.images[0]?.id,
    networks: 'none',
    host: 'compute-2',
  }
  const made = await cloud.ask('compute', 'POST', '/servers', signal, { headers, body: { server } })
  expect(made.status).toBe(202)
  const { id } = (made.body as { server: { id: string } }).server
  onTestFinished(async () => {
    await cloud.ask('compute', 'DELETE', `/servers/${id}`, soon())
  })
  const look = async () => (await cloud.ask('compute', 'GET', `/servers/${id}`, signal, { headers })).body
  const done = await eventually(async () => {
    const { server } = (await look()) as { server: { status: string; 'OS-EXT-SRV-ATTR:host': string } }
    return server.status === 'BUILD' ? undefined : server
  }, signal)
  expect(done).toMatchObject({ status: 'ACTIVE', 'OS-EXT-SRV-ATTR:host': 'compute-2' })

  expect((await cloud.ask('compute', 'DELETE', `/servers/${id}`, signal)).status).toBe(204)
  await eventually(async () => {
    const gone = await cloud.ask('compute', 'GET', `/servers/${id}`, signal)
    return gone.status === 404 || undefined
  }, signal)
})

interface Service {
  readonly binary: string
  readonly host: string
  readonly state: string
  readonly status: string
  readonly updated_at: string
}
interface Agent {
  readonly binary: string
  readonly alive: boolean
}
interface Named {
  readonly id: string
  readonly name: string
}
