import type { CloudWorld } from '../cloud.ts'
import { ApiFailure, type ApiRequest, json, type Reply, type Route } from '../http/api.ts'
import { fits } from '../http/paging.ts'
import { micro } from '../time.ts'
import { health } from './alive.ts'
import type { NovaServiceRecord } from './state.ts'
import { usersAct } from './users.ts'

/** `os-services`: the list, and taking compute hosts in and out of service. */
export function serviceRoutes(world: CloudWorld): Route[] {
  return [
    {
      method: 'GET',
      path: '/os-services',
      admin: 'os_compute_api:os-services:list',
      query: { since: 75, names: ['host', 'binary'] },
      handle: ({ query, version }) => {
        const found = world.cloud.nova.services.filter(
          ({ host, binary }) => fits(query, 'host', host) && fits(query, 'binary', binary),
        )
        const { silentCells } = world.cloud.nova
        const known = version >= 69 ? found : found.filter(({ host }) => !silentCells.has(host))
        return json(200, {
          services: known.map((service) =>
            silentCells.has(service.host)
              ? { binary: service.binary, host: service.host, status: 'UNKNOWN' }
              : serviceView(world, service, version),
          ),
        })
      },
    },
    {
      method: 'PUT',
      path: '/os-services/:id',
      since: 53,
      admin: 'os_compute_api:os-services:update',
      handle: (request) => update(world, request),
    },
    {
      method: 'PUT',
      path: '/os-services/:action',
      until: 52,
      admin: 'os_compute_api:os-services:update',
      handle: (request) => updateByHost(world, request),
    },
  ]
}

function serviceView(world: CloudWorld, service: NovaServiceRecord, version: number): object {
  const { seenAt, up } = health(world, service)
  return {
    binary: service.binary,
    host: service.host,
    id: version >= 53 ? service.uuid : service.id,
    zone: service.zone,
    status: service.disabled ? 'disabled' : 'enabled',
    state: up ? 'up' : 'down',
    // the record's own time: enabling and disabling move it as well as a heartbeat does
    updated_at: micro(Math.max(seenAt, service.touchedAt)),
    disabled_reason: service.disabledReason,
    ...(version >= 11 && { forced_down: service.forcedDown }),
  }
}

const updatable = ['status', 'disabled_reason', 'forced_down']

interface Wanted {
  readonly status?: unknown
  readonly disabled_reason?: unknown
  readonly forced_down?: unknown
}

function update(world: CloudWorld, { params: { id = '' }, body, version }: ApiRequest): Reply {
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) throw new ApiFailure(400, `Invalid uuid ${id}`)
  const service = world.cloud.nova.services.find(({ uuid }) => uuid === id)
  if (!service) throw new ApiFailure(404, `Service ${id} could not be found.`)
  if (service.binary !== 'nova-compute') {
    const message = `Updating a ${service.binary} service is not supported. Only nova-compute services can be updated.`
    throw new ApiFailure(400, message)
  }
  const strange = Object.keys((body ?? {}) as object).filter((key) => !updatable.includes(key))
  if (strange.length > 0) {
    const names = strange.map((one) => `'${one}'`).join(', ')
    const verb = strange.length === 1 ? 'was' : 'were'
    throw new ApiFailure(400, `Additional properties are not allowed (${names} ${verb} unexpected)`)
  }
  const { status, disabled_reason, forced_down } = (body ?? {}) as Wanted
  if (status === undefined && forced_down === undefined) {
    throw new ApiFailure(400, "No updates were requested. Fields 'status' or 'forced_down' should be specified.")
  }
  if (status !== undefined && status !== 'enabled' && status !== 'disabled') {
    throw new ApiFailure(
      400,
      `Invalid input for field/attribute status. Value: ${status}. '${status}' is not one of ['enabled', 'disabled']`,
    )
  }
  if (disabled_reason !== undefined && status !== 'disabled') {
    throw new ApiFailure(400, "Specifying 'disabled_reason' requires that 'status' is set to 'disabled'.")
  }
  if (status !== undefined)
    setStatus(world, service, status, disabled_reason === undefined ? null : String(disabled_reason))
  if (forced_down !== undefined) setForcedDown(world, service, forced_down === true || forced_down === 'true')
  return json(200, { service: serviceView(world, service, version) })
}

function updateByHost(world: CloudWorld, { params: { action = '' }, body, version }: ApiRequest): Reply {
  const given = (body ?? {}) as { [field: string]: unknown }
  const missing = ['host', 'binary'].find((field) => given[field] === undefined)
  if (missing !== undefined) throw new ApiFailure(400, `'${missing}' is a required property`)
  const { host, binary, disabled_reason, forced_down } = given
  const service = world.cloud.nova.services.find((one) => one.host === host && one.binary === binary)
  if (!service) throw new ApiFailure(404, `Host '${host}' is not mapped to any cell`)
  const named = { host: service.host, binary: service.binary }
  switch (action) {
    case 'enable':
      setStatus(world, service, 'enabled', null)
      return json(200, { service: { ...named, status: 'enabled' } })
    case 'disable':
      setStatus(world, service, 'disabled', null)
      return json(200, { service: { ...named, status: 'disabled' } })
    case 'disable-log-reason':
      setStatus(world, service, 'disabled', String(disabled_reason))
      return json(200, { service: { ...named, status: 'disabled', disabled_reason } })
    case 'force-down':
      if (version < 11) break
      setForcedDown(world, service, forced_down === true)
      return json(200, { service: { ...named, forced_down: service.forcedDown } })
  }
  throw new ApiFailure(404, 'Unknown action')
}

function setStatus(
  world: CloudWorld,
  service: NovaServiceRecord,
  status: 'enabled' | 'disabled',
  reason: string | null,
) {
  service.disabled = status === 'disabled'
  service.disabledReason = reason
  service.touchedAt = world.clock.now()
  const verb = status === 'disabled' ? 'disable' : 'enable'
  world.effect(`openstack.compute_service.${verb}`, service.host, { binary: service.binary, reason })
  if (status === 'disabled') usersAct(world, 'disabled', service.host)
}

function setForcedDown(world: CloudWorld, service: NovaServiceRecord, forcedDown: boolean) {
  service.forcedDown = forcedDown
  service.touchedAt = world.clock.now()
  world.effect('openstack.compute_service.force_down', service.host, { forced_down: forcedDown })
}
