import { setTimeout } from 'node:timers/promises'
import type { Api } from '../../simulator/openstack/contract/api.ts'
import { type Cloud, request } from './openstack.ts'

/** The statements call a service by its project; a catalog by its type. */
const types: { readonly [service: string]: string } = {
  keystone: 'identity',
  nova: 'compute',
  neutron: 'network',
  cinder: 'volumev3',
  glance: 'image',
  placement: 'placement',
}

/** The lab's cloud, as the statements of the contract ask it. */
export function apiOf({ endpoints, project, token }: Cloud): Api {
  const call: Api['call'] = (method, service, path, body, headers = {}) => {
    const { origin } = new URL(endpoints.get(types[service] ?? service) ?? `http://no-${service}.invalid`)
    const sent = Object.entries({ 'X-Auth-Token': token, ...headers }).filter(([, value]) => value !== '')
    return request(method, `${origin}${path}`, AbortSignal.timeout(120_000), {
      headers: Object.fromEntries(sent),
      body,
    })
  }
  return {
    project,
    token,
    call,
    wait: (ms) => setTimeout(ms),
    get: (service, path, headers) => call('GET', service, path, undefined, headers),
    post: (service, path, body, headers) => call('POST', service, path, body, headers),
  }
}
