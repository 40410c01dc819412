import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, listOf, number, text, whole } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { call, objectIn, partOf } from './call.ts'
import { concurrently } from './concurrently.ts'
import { apiObject, dateOfAnswer, labels, paramsOf } from './fields.ts'
import { objectsIn } from './json-body.ts'
import { segment } from './list.ts'
import { orMissing } from './missing.ts'
import { listAll } from './paging.ts'
import { type Session, sessionOf } from './session.ts'
import type { Microversions } from './versions.ts'

/** From the version that gives the root of a provider. */
export const placementVersions: Microversions = { min: '1.14', max: '1.39' }

const atOnce = 8

const inventory = apiObject('What there is of a resource class', {
  total: whole('There is'),
  reserved: whole('Kept back'),
  min_unit: whole('Smallest piece'),
  max_unit: whole('Largest piece'),
  step_size: whole('Pieces are multiples of it'),
  allocation_ratio: number('How often it may be given out'),
})

const resourceProviderList: WorkAction = {
  name: 'openstack.resource_provider.list',
  summary: 'the resource providers of Placement, with what they have and what is used of it',
  description:
    'What can be given out of a class is (`total` - `reserved`) × `allocation_ratio`. A provider that goes away while it is read is left out.',
  effect: 'read',
  params: paramsOf({ name: text('Only this provider, by its exact name', { minLength: 1 }) }),
  result: closedObject({
    resource_providers: listOf(
      apiObject(
        'A resource provider',
        {
          uuid: text('UUID, for a compute node that of its hypervisor'),
          name: text('Its name, for a compute node that of its hypervisor'),
          generation: whole('Grows with every change'),
          parent_provider_uuid: text('The provider it is a part of'),
          root_provider_uuid: text('The outermost provider'),
          inventories: {
            type: 'object',
            description: 'What it has, by resource class: `VCPU`, `MEMORY_MB`, `DISK_GB`',
            additionalProperties: inventory,
          },
          usages: {
            type: 'object',
            description: 'What is used of it, by resource class',
            additionalProperties: whole('Units'),
          },
          links: anything('Addresses of it'),
        },
        ['uuid', 'name', 'inventories', 'usages'],
      ),
      'All of them',
    ),
    date: dateOfAnswer,
  }),
  examples: [{}, { name: 'compute-1' }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const name = params['name']
    const { items, first } = await listAll(
      session,
      {
        service: 'placement',
        path: '/resource_providers',
        ...(typeof name === 'string' && { query: { name } }),
        collection: 'resource_providers',
        microversion: placementVersions,
      },
      signal,
    )
    const wanted = items.filter((item) => name === undefined || item['name'] === name)
    const joined = await concurrently(wanted, atOnce, signal, (provider, linked) =>
      withAmounts(session, provider, linked),
    )
    return { resource_providers: joined.filter((provider) => provider !== undefined), date: first.date }
  },
}

/** A provider with its inventories and usages; nothing where it has gone meanwhile. */
export async function withAmounts(
  session: Session,
  provider: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const path = `/resource_providers/${segment(provider['uuid'])}`
  const part = async (name: 'inventories' | 'usages') =>
    partOf(
      await call(session, { service: 'placement', path: `${path}/${name}`, microversion: placementVersions }, signal),
      name,
    )
  return orMissing(async () => {
    const inventories = await part('inventories')
    const usages = await part('usages')
    return { ...provider, inventories, usages }
  })
}

export const amounts = (description: string) => ({
  type: 'object',
  description,
  additionalProperties: whole('Units'),
})

const candidateList: WorkAction = {
  name: 'openstack.allocation_candidate.list',
  summary: 'the providers that could give certain resources now, as the scheduler would ask Placement',
  description:
    'Placement counts what is given out; filters of the scheduler, disabled hosts and server groups may still refuse a host. No candidate is no error: `candidates` is empty then.',
  effect: 'read',
  params: paramsOf(
    {
      resources: { ...amounts('What is wanted, by resource class: `VCPU`, `MEMORY_MB`, `DISK_GB`'), minProperties: 1 },
      required: listOf(text('A trait', { minLength: 1 }), 'Traits that a provider must have'),
      forbidden: listOf(text('A trait', { minLength: 1 }), 'Traits that it must not have'),
      member_of: listOf(text('An aggregate, by UUID', { minLength: 1 }), 'Only providers in one of these aggregates'),
      limit: whole('At most so many', { minimum: 1 }),
    },
    ['resources'],
  ),
  result: closedObject({
    candidates: listOf(
      apiObject(
        'One way to give it',
        {
          allocations: {
            type: 'object',
            description: 'What each provider would give, by its UUID',
            additionalProperties: apiObject('What it would give', { resources: amounts('By resource class') }),
          },
          mappings: labels('Which provider serves which part of the request'),
        },
        ['allocations'],
      ),
      'The ways to give it',
    ),
    providers: listOf(
      apiObject(
        'A provider of a candidate',
        {
          uuid: text('UUID'),
          name: text('Its name, for a compute node that of its hypervisor'),
          resources: {
            type: 'object',
            description: 'What it has, by resource class',
            additionalProperties: apiObject('Of a class', {
              capacity: whole('What can be given out'),
              used: whole('What is'),
            }),
          },
          traits: listOf(text('A trait'), 'Traits'),
          root_provider_uuid: text('The outermost provider'),
          parent_provider_uuid: text('The provider it is a part of'),
        },
        ['uuid', 'resources'],
      ),
      'The providers that the candidates name',
    ),
    date: dateOfAnswer,
  }),
  examples: [{ resources: { VCPU: 2, MEMORY_MB: 4096, DISK_GB: 20 } }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const words = (name: string): readonly string[] => [params[name] ?? []].flat().map(String)
    const traits = [...words('required'), ...words('forbidden').map((trait) => `!${trait}`)]
    const aggregates = words('member_of')
    const answer = await call(
      session,
      {
        service: 'placement',
        path: '/allocation_candidates',
        query: {
          resources: Object.entries((params['resources'] ?? {}) as JsonObject)
            .map(([name, amount]) => `${name}:${String(amount)}`)
            .join(','),
          ...(traits.length > 0 && { required: traits.join(',') }),
          ...(aggregates.length > 0 && { member_of: `in:${aggregates.join(',')}` }),
          ...(typeof params['limit'] === 'number' && { limit: params['limit'] }),
        },
        microversion: candidateVersions,
      },
      signal,
    )
    const body = objectIn(answer)
    const summaries = Object.entries(isObject(body['provider_summaries']) ? body['provider_summaries'] : {})
    const names = await providerNames(session, signal)
    const providers = summaries.map(([uuid, summary]) => ({
      uuid,
      name: names.get(uuid) ?? null,
      resources: {},
      ...(isObject(summary) && summary),
    }))
    return { candidates: objectsIn(body['allocation_requests']), providers, date: answer.date }
  },
}

/** 1.22 knows forbidden traits. */
const candidateVersions: Microversions = { min: '1.22', max: '1.39' }

async function providerNames(session: Session, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
  const { items } = await listAll(
    session,
    {
      service: 'placement',
      path: '/resource_providers',
      collection: 'resource_providers',
      microversion: placementVersions,
    },
    signal,
  )
  return new Map(items.map(({ uuid, name }) => [String(uuid), String(name)]))
}

const allocationList: WorkAction = {
  name: 'openstack.allocation.list',
  summary: 'what a consumer (a server, a migration) holds of each provider',
  description: 'A consumer that Placement does not know holds nothing: the list is empty.',
  effect: 'read',
  params: paramsOf({ consumer: text('The server or the migration, by UUID', { minLength: 1 }) }, ['consumer']),
  result: closedObject({
    allocations: listOf(
      apiObject(
        'What it holds of a provider',
        {
          provider: text('UUID of the provider'),
          name: text('Its name, for a compute node that of its hypervisor'),
          generation: whole('Of the provider'),
          resources: amounts('What it holds, by resource class'),
        },
        ['provider', 'resources'],
      ),
      'By provider',
    ),
    date: dateOfAnswer,
  }),
  examples: [{ consumer: '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11' }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const path = `/allocations/${segment(params['consumer'])}`
    const answer = await call(session, { service: 'placement', path, microversion: placementVersions }, signal)
    const held = Object.entries(partOf(answer, 'allocations'))
    const names = held.length > 0 ? await providerNames(session, signal) : new Map<string, string>()
    const allocations = held.map(([provider, one]) => ({
      provider,
      name: names.get(provider) ?? null,
      resources: {},
      ...(isObject(one) && one),
    }))
    return { allocations, date: answer.date }
  },
}

export const placementActions: readonly WorkAction[] = [resourceProviderList, candidateList, allocationList]
