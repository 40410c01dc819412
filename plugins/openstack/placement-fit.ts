import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, number, text, whole } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { concurrently } from './concurrently.ts'
import { dateOfAnswer, paramsOf } from './fields.ts'
import { serverById } from './find-server.ts'
import { type Amounts, type Group, type Guest, lossesTooLarge, type Place, placeAll, sayAmount, total } from './fit.ts'
import { textAt } from './json-body.ts'
import { segment } from './list.ts'
import { orMissing } from './missing.ts'
import { listAll, pageSize } from './paging.ts'
import { amounts, placementVersions, withAmounts } from './placement.ts'
import { serverGroups } from './server-group.ts'
import { hostOf } from './server-state.ts'
import { type Session, sessionOf } from './session.ts'
import { computeVersions } from './versions.ts'

const atOnce = 8

const refusals = listOf(
  closedObject({ host: text('The host, as Nova names it'), why: text('Why it takes it not') }),
  'Each host, and why it takes it not',
)

export const placementFit: WorkAction = {
  name: 'openstack.placement.fit',
  summary: 'whether the servers of a host fit on the other hosts, each of them on one',
  description:
    'Room is not added up: every server, the largest first, is given to one host, and takes its room from the next. Hosts are the enabled ones that are up in the zone of the host, less those whose aggregates are closed to a server. What a server needs is what it holds in Placement; what a host has is (`total` - `reserved`) × `allocation_ratio`, less the reserve and what is used. Server groups are kept. It proves that a way exists; the scheduler goes its own, and looks at traits and more besides.',
  effect: 'read',
  params: paramsOf(
    {
      from: text('The host they leave, exactly as Nova names it', { minLength: 1 }),
      servers: listOf(text('Its id', { minLength: 1 }), 'Only these of its servers; all of them unless told'),
      to: {
        type: ['string', 'null'],
        minLength: 1,
        description: 'All of them onto this one host; null or left out: onto any',
      },
      reserve_ratio: number('The share of each host that stays free', { minimum: 0, maximum: 1, default: 0 }),
    },
    ['from'],
  ),
  result: closedObject({
    placed: listOf(
      closedObject({ server: text('Its id'), name: text('Its name'), host: text('A host that has room for it') }),
      'What fits, and where',
    ),
    unplaced: listOf(
      closedObject({ server: text('Its id'), name: text('Its name'), why: text('Why not'), hosts: refusals }),
      'What does not fit once the others are placed',
    ),
    hosts: listOf(
      closedObject({ host: text('The host, as Nova names it'), room: amounts('What it can then still give') }),
      'The hosts that may take servers; the reserve is not part of their room',
    ),
    out: listOf(
      closedObject({ host: text('The host, as Nova names it'), why: text('Why it takes nothing') }),
      'The others',
    ),
    needed: amounts('What the servers need in all, by resource class'),
    losses: listOf(
      closedObject({
        host: text('The host, as Nova names it'),
        class: text('The resource class'),
        holds: whole('What would be given out of it there'),
        room: whole('What all the others could still give, their reserves too'),
        why: text('The same in words'),
      }),
      'The hosts that could not be lost as well, once what fits is there',
    ),
    providers: listOf(text('UUID'), 'The resource providers of the host they leave: one, unless something is wrong'),
    date: dateOfAnswer,
  }),
  examples: [{ from: 'compute-1' }, { from: 'compute-1', to: 'compute-2', reserve_ratio: 0.15 }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const from = String(params['from'])
    const to = typeof params['to'] === 'string' ? params['to'] : undefined
    const { hosts, nodes, zone, date } = await computeHosts(session, from, signal)
    const aggregates = await collected(session, 'compute', '/os-aggregates', 'aggregates', signal)
    const out = hosts.flatMap((one) => {
      const why = whyOut(one, from, zone)
      return why === undefined ? [] : [{ host: one.host, why }]
    })
    const takers = hosts.filter(({ host }) => !out.some((one) => one.host === host))
    const providers = await collected(session, 'placement', '/resource_providers', 'resource_providers', signal)
    const read = await concurrently(takers, atOnce, signal, async ({ host }, linked) => {
      const provider = providers.find(({ uuid, name }) => nodes.get(host)?.some((one) => one === uuid || one === name))
      const held = provider && (await withAmounts(session, provider, linked))
      return { host, place: held && placeOf(host, held) }
    })
    const strangers = read.flatMap(({ host, place }) => (place ? [] : [{ host, why: 'Placement does not know it' }]))
    const places = read.flatMap(({ place }) => (place ? [place] : []))

    const servers = await serversOf(session, from, params['servers'], signal)
    const sources = providers.filter(({ uuid, name }) => nodes.get(from)?.some((one) => one === uuid || one === name))
    const [source] = sources
    const holds = source ? await allocationsOf(session, source, signal) : {}
    const guests = servers.map((server): Guest => {
      const barred = barredFor(server, from, places, aggregates)
      for (const { host } of places) if (to !== undefined && host !== to) barred.set(host, notChosen)
      return {
        id: String(server['id']),
        name: String(server['name']),
        needs: needsOf(server, holds),
        ...(barred.size > 0 && { barred }),
      }
    })
    const groups = await groupsOf(session, guests, servers, signal)

    const wanted = { guests, places, groups, reserve: Number(params['reserve_ratio'] ?? 0) }
    const found = placeAll(wanted)
    const away = [...out, ...strangers]
    return {
      placed: found.placed.map(({ guest, host }) => ({ server: guest.id, name: guest.name, host })),
      unplaced: found.unplaced.map(({ guest, refusals }) => {
        const asked = refusals.filter(({ why }) => why !== notChosen)
        const others = away.filter(({ host }) => (to === undefined ? host !== from : host === to))
        return {
          server: guest.id,
          name: guest.name,
          why: sayRefusals(asked.length > 0 ? asked : others),
          hosts: asked.map((one) => ({ ...one })),
        }
      }),
      hosts: found.left.map((one) => ({ ...one })),
      out: away,
      needed: total(guests.map(({ needs }) => needs)),
      losses: lossesTooLarge(wanted, found).map(({ host, resourceClass, holds, room }) => ({
        host,
        class: resourceClass,
        holds,
        room,
        why: `\`${host}\` would hold ${sayAmount(resourceClass, holds)}, and the others have ${room} left`,
      })),
      providers: sources.map(({ uuid = null }) => uuid),
      date,
    }
  },
}

interface ComputeHost {
  readonly host: string
  readonly zone: Json
  readonly status: Json
  readonly state: Json
}

/** The hosts that run nova-compute, and the ids and names of the hypervisors of each. Throws `not_found`. */
async function computeHosts(session: Session, from: string, signal: AbortSignal) {
  const request = { service: 'compute', microversion: computeVersions }
  const services = await listAll(
    session,
    { ...request, path: '/os-services', query: { binary: 'nova-compute' }, collection: 'services' },
    signal,
  )
  const hosts = services.items
    .filter(({ binary }) => binary === 'nova-compute')
    .map(
      ({ host, zone = null, status = null, state = null }): ComputeHost => ({
        host: String(host),
        zone,
        status,
        state,
      }),
    )
  const mine = hosts.find(({ host }) => host === from)
  if (!mine)
    throw new StepFailure('not_found', `no nova-compute has the host \`${from}\``, {
      hint: 'write it exactly as `openstack.compute_service.list` shows it',
    })
  const hypervisors = await listAll(
    session,
    { ...request, path: '/os-hypervisors/detail', query: { limit: pageSize }, collection: 'hypervisors' },
    signal,
  )
  const nodes = new Map<string, string[]>()
  for (const { id, hypervisor_hostname, service } of hypervisors.items) {
    const host = textAt(service, 'host') ?? ''
    nodes.set(host, [...(nodes.get(host) ?? []), String(id), String(hypervisor_hostname)])
  }
  return { hosts, nodes, zone: mine.zone, date: services.first.date }
}

const notChosen = 'it was not chosen'

/** Why a host takes nothing at all. */
function whyOut({ host, zone, status, state }: ComputeHost, from: string, zoneOfFrom: Json): string | undefined {
  if (host === from) return 'they are there'
  if (zone !== zoneOfFrom) return `it is in zone \`${String(zone)}\``
  if (status !== 'enabled') return `it is ${String(status)}`
  return state === 'up' ? undefined : `it is ${String(state)}`
}

async function collected(
  session: Session,
  service: 'compute' | 'placement',
  path: string,
  collection: string,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const microversion = service === 'compute' ? computeVersions : placementVersions
  return (await listAll(session, { service, path, collection, microversion }, signal)).items
}

/** The servers that are on the host; those that were asked for and are not there have nothing to leave. */
async function serversOf(session: Session, host: string, only: Json | undefined, signal: AbortSignal) {
  const { items } = await listAll(
    session,
    {
      service: 'compute',
      path: '/servers/detail',
      query: { limit: pageSize, all_tenants: 1, host },
      collection: 'servers',
      microversion: computeVersions,
    },
    signal,
  )
  const ids = Array.isArray(only) ? only : undefined
  return items.filter((server) => hostOf(server) === host && (!ids || ids.includes(server['id'] ?? null)))
}

async function allocationsOf(session: Session, { uuid }: JsonObject, signal: AbortSignal): Promise<JsonObject> {
  const path = `/resource_providers/${segment(uuid)}/allocations`
  const answer = await call(session, { service: 'placement', path, microversion: placementVersions }, signal)
  return partOf(answer, 'allocations')
}

/** What a server holds of its host; where Placement knows nothing of it, what its flavor asks for. */
function needsOf(server: JsonObject, holds: JsonObject): Amounts {
  const held = holds[String(server['id'])]
  if (isObject(held) && isObject(held['resources'])) return numbersIn(held['resources'])
  const flavor = numbersIn(server['flavor'])
  const disk = (server['image'] === '' ? 0 : (flavor['disk'] ?? 0)) + (flavor['ephemeral'] ?? 0)
  return { VCPU: flavor['vcpus'] ?? 0, MEMORY_MB: flavor['ram'] ?? 0, ...(disk > 0 && { DISK_GB: disk }) }
}

function numbersIn(value: Json | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(isObject(value) ? value : {}).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    ),
  )
}

function placeOf(host: string, { inventories, usages }: JsonObject): Place {
  const used = numbersIn(usages)
  const stocks = Object.entries(isObject(inventories) ? inventories : {}).map(([name, inventory]) => {
    const { total: all = 0, reserved = 0, allocation_ratio = 1, max_unit = all } = numbersIn(inventory)
    const capacity = Math.floor((all - reserved) * allocation_ratio)
    return [name, { capacity, used: used[name] ?? 0, largest: max_unit }] as const
  })
  return { host, stocks: Object.fromEntries(stocks) }
}

/** What the aggregates of a host say for a key, all values together, as the scheduler's filters read them. */
function saidOf(host: string, aggregates: readonly JsonObject[]): ReadonlyMap<string, readonly string[]> {
  const said = new Map<string, string[]>()
  for (const { hosts, metadata } of aggregates) {
    if (!Array.isArray(hosts) || !hosts.includes(host) || !isObject(metadata)) continue
    for (const [key, value] of Object.entries(metadata))
      said.set(key, [
        ...(said.get(key) ?? []),
        ...String(value)
          .split(',')
          .map((one) => one.trim()),
      ])
  }
  return said
}

const scope = 'aggregate_instance_extra_specs:'

/**
 * The hosts that aggregates close to a server: those that lack what its flavor asks of them and its host has, and those
 * kept for other projects.
 */
function barredFor(
  server: JsonObject,
  from: string,
  places: readonly Place[],
  aggregates: readonly JsonObject[],
): Map<string, string> {
  const flavor = server['flavor']
  const specs = isObject(flavor) && isObject(flavor['extra_specs']) ? Object.keys(flavor['extra_specs']) : []
  const asked = specs.map((key) => (key.startsWith(scope) ? key.slice(scope.length) : key))
  const here = saidOf(from, aggregates)
  const barred = new Map<string, string>()
  for (const { host } of places) {
    const there = saidOf(host, aggregates)
    const lacks = asked.find((key) => {
      const values = here.get(key)
      return values && !values.some((value) => there.get(key)?.includes(value))
    })
    if (lacks !== undefined) barred.set(host, `none of its aggregates is the like as to \`${lacks}\``)
    const tenants = [...there].flatMap(([key, values]) => (key.startsWith('filter_tenant_id') ? values : []))
    if (tenants.length > 0 && !tenants.includes(String(server['tenant_id'])))
      barred.set(host, 'its aggregate is kept for other projects')
  }
  return barred
}

/** The groups of these servers, with the places of all members. */
async function groupsOf(
  session: Session,
  guests: readonly Guest[],
  known: readonly JsonObject[],
  signal: AbortSignal,
): Promise<readonly Group[]> {
  const { groups } = await serverGroups(session, signal)
  const bound = groups.filter(({ members }) => guests.some(({ id }) => Array.isArray(members) && members.includes(id)))
  const ids = [...new Set(bound.flatMap(({ members }) => (Array.isArray(members) ? members.map(String) : [])))]
  const where = new Map<string, string>()
  await concurrently(ids, atOnce, signal, async (id, linked) => {
    const server =
      known.find((one) => one['id'] === id) ??
      (await orMissing(async () => partOf(await serverById(session, id, linked), 'server')))
    const host = server && hostOf(server)
    if (host) where.set(id, host)
  })
  return bound.map(({ name, policy, policies, rules, members }) => ({
    name: String(name),
    policy: String(policy ?? (Array.isArray(policies) ? policies[0] : '')),
    mostOnHost: Number((isObject(rules) ? rules['max_server_per_host'] : undefined) ?? 1),
    members: new Map(
      (Array.isArray(members) ? members.map(String) : []).flatMap((id) => {
        const host = where.get(id)
        return host === undefined ? [] : [[id, host] as const]
      }),
    ),
  }))
}

const mostSaid = 4

function sayRefusals(refusals: readonly { readonly host: string; readonly why: string }[]): string {
  if (refusals.length === 0) return 'there is no such host'
  const said = refusals.slice(0, mostSaid).map(({ host, why }) => `\`${host}\`: ${why}`)
  const more = refusals.length - said.length
  return `${said.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
