import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Route } from '../http/api.ts'
import { nextLink, pageOf } from '../http/paging.ts'
import type { Flavor } from './state.ts'

export function flavorRoutes({ cloud: { nova } }: CloudWorld): Route[] {
  const list = (request: ApiRequest, view: (flavor: Flavor, request: ApiRequest) => object) => {
    const page = pageOf(chosen(nova.flavors, request), request, { max: 1000 })
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
    {
      method: 'GET',
      path: '/flavors/:id/os-extra_specs',
      handle: ({ params: { id = '' } }) => {
        const flavor = nova.flavors.find((one) => one.id === id)
        if (!flavor) throw new ApiFailure(404, `Flavor ${id} could not be found.`)
        return json(200, { extra_specs: flavor.extraSpecs ?? {} })
      },
    },
  ]
}

const query = {
  since: 75,
  names: ['limit', 'marker', 'is_public', 'minRam', 'minDisk', 'sort_key', 'sort_dir'],
}

/** All of them are public; those with enough, in the order that is asked for. */
function chosen(flavors: readonly Flavor[], { query, token }: ApiRequest): Flavor[] {
  const least = (name: string): number => {
    const text = query.get(name) ?? '0'
    if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new ApiFailure(400, `Invalid ${name} filter [${text}]`)
    return Number(text)
  }
  const asked = query.get('is_public')
  const hidden = /^(false|f|no|n|off|0)$/i.test(asked ?? '')
  const understood = asked === null || hidden || /^(none|true|t|yes|y|on|1)$/i.test(asked)
  const admin = token.roles.includes('admin')
  if (admin && !understood) throw new ApiFailure(400, `Invalid is_public filter [${asked}]`)
  const [ram, disk] = [least('minRam'), least('minDisk')]
  const key = query.get('sort_key') ?? 'flavorid'
  const of = sortable[key]
  if (!of) throw new ApiFailure(400, `Invalid input for query parameters sort_key. Value: ${key}.`)
  const sign = query.get('sort_dir') === 'desc' ? -1 : 1
  return flavors
    .filter((flavor) => !(admin && hidden) && flavor.ram >= ram && flavor.disk >= disk)
    .sort((a, b) => (of(a) < of(b) ? -sign : of(a) > of(b) ? sign : a.id < b.id ? -1 : 1))
}

const sortable: { readonly [key: string]: (flavor: Flavor) => string | number } = {
  flavorid: ({ id }) => id,
  name: ({ name }) => name,
  memory_mb: ({ ram }) => ram,
  vcpus: ({ vcpus }) => vcpus,
  root_gb: ({ disk }) => disk,
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
