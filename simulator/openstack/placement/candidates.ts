import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply } from '../http/api.ts'
import { refuseUnrehearsed } from '../http/known-query.ts'
import { checkNames, providersWanted, resourcesIn } from './query.ts'
import { hasRoom, providersOf, roomOf, traitsOf } from './state.ts'

const names = { resources: 10, limit: 16, required: 17, member_of: 21, group_policy: 25, in_tree: 31 }
/** Parts of a request that another provider may give, and what holds them together. */
const granular = /^((resources|required|member_of|in_tree)[\w-]+|group_policy|root_required|same_subtree)$/

/** `allocation_candidates`: the hosts with room for `resources=VCPU:2,MEMORY_MB:4096`. */
export function candidates({ cloud }: CloudWorld, request: ApiRequest): Reply {
  const { query, version } = request
  if (version >= 25)
    refuseUnrehearsed(
      query,
      [...query.keys()].filter((name) => granular.test(name)),
    )
  checkNames(request, names)
  const asked = query.get('resources')
  if (asked === null) {
    const why = "Invalid query string parameters: 'resources' is a required property"
    throw new ApiFailure(
      400,
      version < 25 ? why : 'At least one request group (`resources` or `resources{$S}`) is required.',
    )
  }
  const most = query.get('limit')
  if (most !== null && !/^[1-9]\d*$/.test(most)) {
    throw new ApiFailure(400, `Invalid query string parameters: '${most}' does not match '^[1-9][0-9]*$'`)
  }
  const wanted = resourcesIn(asked)
  const fitting = providersOf(cloud)
    .filter(providersWanted(cloud, request))
    .map((provider) => ({ provider, room: roomOf(cloud, provider) }))
    .filter(({ room }) => hasRoom(room, wanted))
    .slice(0, Number(most ?? Number.POSITIVE_INFINITY))
  return json(200, {
    allocation_requests: fitting.map(({ provider: { uuid } }) => ({
      allocations:
        version >= 12 ? { [uuid]: { resources: wanted } } : [{ resource_provider: { uuid }, resources: wanted }],
      ...(version >= 34 && { mappings: { '': [uuid] } }),
    })),
    provider_summaries: Object.fromEntries(
      fitting.map(({ provider, room }) => [
        provider.uuid,
        {
          resources: Object.fromEntries(
            Object.entries(room)
              // until then only of what was asked for
              .filter(([name]) => version >= 27 || name in wanted)
              .map(([name, { capacity, used }]) => [name, { capacity, used }]),
          ),
          ...(version >= 17 && { traits: traitsOf(cloud, provider) }),
          ...(version >= 29 && { parent_provider_uuid: null, root_provider_uuid: provider.uuid }),
        },
      ]),
    ),
  })
}
