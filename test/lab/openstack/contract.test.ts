import { afterAll, beforeAll, describe, test } from 'vitest'
import type { Api } from '../../simulator/openstack/contract/api.ts'
import { openstackDoors } from '../../simulator/openstack/contract/doors.ts'
import { openstackContract } from '../../simulator/openstack/contract/statements.ts'
import { type Furniture, furnish } from '../support/furniture.ts'
import { type Cloud, openCloud, request } from '../support/openstack.ts'

/** The statements call a service by its project; a catalog by its type. */
const types: { readonly [service: string]: string } = {
  keystone: 'identity',
  nova: 'compute',
  neutron: 'network',
  cinder: 'volumev3',
  glance: 'image',
  placement: 'placement',
}

let cloud: Cloud
let furniture: Furniture

beforeAll(async () => {
  const signal = AbortSignal.timeout(150_000)
  cloud = await openCloud('lab-admin', signal)
  furniture = await furnish(cloud, signal)
})

afterAll(async () => {
  await furniture?.remove(AbortSignal.timeout(120_000))
})

openstackContract({ describe, test }, async () => apiOf(cloud))
openstackDoors({ describe, test }, async () => apiOf(cloud))

function apiOf({ endpoints, project, token }: Cloud): Api {
  const call =
    (method: string) =>
    (service: string, path: string, body?: unknown, headers: { readonly [name: string]: string } = {}) => {
      const { origin } = new URL(endpoints.get(types[service] ?? service) ?? `http://no-${service}.invalid`)
      const sent = Object.entries({ 'X-Auth-Token': token, ...headers }).filter(([, value]) => value !== '')
      return request(method, `${origin}${path}`, AbortSignal.timeout(60_000), {
        headers: Object.fromEntries(sent),
        body,
      })
    }
  return {
    project,
    get: (service, path, headers) => call('GET')(service, path, undefined, headers),
    post: call('POST'),
  }
}
