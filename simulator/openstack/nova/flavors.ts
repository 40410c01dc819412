import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Route } from '../http/api.ts'
import { nextLink, pageOf } from '../http/paging.ts'
import type { Flavor } from './state.ts'

export function flavorRoutes({ cloud: { nova } }: CloudWorld): Route[] {
  const list = (request: ApiRequest, view: (flavor: Flavor, request: ApiRequest) => object) => {
    const page = pageOf(nova.flavors, request, { max: 1000 })
    const flavors = page.items.map((flavor) => view(flavor, request))
    return json(200, { flavors, ...nextLink('flavors', page) })
  }
  return [
    { method: 'GET', path: '/flavors', query, handle: (request) => list(request, short) },
    { method: 'GET', path: '/flavors/detail', query, handle: (request) => list(request, full) },
    {
      method: 'GET',
      path: '/flavors/:id',
      handle: (request) => {
        const { id = '' } = request.params
        const flavor = nova.flavors.find((one) => one.id === id)
        if (!flavor) throw new ApiFailure(404, `Flavor ${id} could not be found.`)
        return json(200, { flavor: full(flavor, request) })
      },
    },
  ]
}

const query = {
  since: 75,
  names: ['limit', 'marker', 'is_public', 'minRam', 'minDisk', 'sort_key', 'sort_dir'],
}

const links = ({ id }: Flavor, origin: string) => [
  { rel: 'self', href: `${origin}/v2.1/flavors/${id}` },
  { rel: 'bookmark', href: `${origin}/flavors/${id}` },
]

const short = (flavor: Flavor, { origin, version }: ApiRequest): object => ({
  id: flavor.id,
  name: flavor.name,
  links: links(flavor, origin),
  ...(version >= 55 && { description: flavor.description }),
})

const full = (flavor: Flavor, { origin, version }: ApiRequest): object => ({
  id: flavor.id,
  name: flavor.name,
  ram: flavor.ram,
  disk: flavor.disk,
  swap: version >= 75 ? 0 : '',
  'OS-FLV-EXT-DATA:ephemeral': 0,
  'OS-FLV-DISABLED:disabled': false,
  vcpus: flavor.vcpus,
  'os-flavor-access:is_public': true,
  rxtx_factor: 1,
  links: links(flavor, origin),
  ...(version >= 55 && { description: flavor.description }),
  ...(version >= 61 && { extra_specs: flavor.extraSpecs ?? {} }),
})
