import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { allocationsOf, inventoriesOf, providersOf, type Resources, resourceClasses, sum } from './state.ts'

interface Inventory {
  readonly total: number
  readonly reserved: number
  readonly allocation_ratio: number
}

/** `allocation_candidates`: the hosts with room for `resources=VCPU:2,MEMORY_MB:4096`. */
export function candidates({ cloud }: CloudWorld, { query, version }: ApiRequest): Reply {
  if (version < 16 && query.has('limit')) {
    const message = "Additional properties are not allowed ('limit' was unexpected)"
    throw new ApiFailure(400, `Invalid query string parameters: ${message}`)
  }
  const wanted = resourcesIn(query.get('resources'))
  const limit = Number(query.get('limit') ?? Number.POSITIVE_INFINITY)
  const room = providersOf(cloud).map((provider) => {
    const used = sum(
      allocationsOf(cloud).filter(({ host }) => host === provider.host),
      resourceClasses,
    )
    const inventories = inventoriesOf(provider) as { readonly [name: string]: Inventory }
    const resources = Object.entries(inventories).map(([name, { total, reserved, allocation_ratio }]) => ({
      name,
      capacity: Math.floor((total - reserved) * allocation_ratio),
      used: used[name] ?? 0,
    }))
    return { uuid: provider.uuid, resources }
  })
  const fitting = room
    .filter(({ resources }) =>
      Object.entries(wanted).every(([name, amount]) =>
        resources.some((one) => one.name === name && one.capacity - one.used >= amount),
      ),
    )
    .slice(0, limit)
  return json(200, {
    allocation_requests: fitting.map(({ uuid }) => ({
      allocations: { [uuid]: { resources: wanted } },
      ...(version >= 34 && { mappings: { '': [uuid] } }),
    })),
    provider_summaries: Object.fromEntries(
      fitting.map(({ uuid, resources }) => [
        uuid,
        {
          resources: Object.fromEntries(resources.map(({ name, capacity, used }) => [name, { capacity, used }])),
          ...(version >= 17 && { traits: ['COMPUTE_NODE'] }),
          ...(version >= 29 && { parent_provider_uuid: null, root_provider_uuid: uuid }),
        },
      ]),
    ),
  })
}

/** What Placement knows by itself of what is asked for; a class of its own no host here has. */
const standardClasses = [...resourceClasses, 'PCPU', 'VGPU', 'PCI_DEVICE', 'SRIOV_NET_VF']

function resourcesIn(text: string | null): Resources {
  const pairs = (text ?? '').split(',').map((part) => part.split(':'))
  if (!text || pairs.some(([name, amount]) => !name || !/^\d+$/.test(amount ?? ''))) {
    throw new ApiFailure(
      400,
      `Badly formed resources parameter. Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024. Got: ${text}.`,
    )
  }
  if (pairs.some(([name = '']) => !standardClasses.includes(name))) {
    throw new ApiFailure(400, 'Invalid resource class in resources parameter')
  }
  return Object.fromEntries(pairs.map(([name, amount]) => [name, Number(amount)]))
}
