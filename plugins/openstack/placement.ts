import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, listOf, number, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, partOf } from './call.ts'
import { concurrently } from './concurrently.ts'
import { apiObject, dateOfAnswer, paramsOf } from './fields.ts'
import { segment } from './list.ts'
import { listAll } from './paging.ts'
import { type Session, sessionOf } from './session.ts'
import type { Microversions } from './versions.ts'

/** From the version that gives the root of a provider. */
const placementVersions: Microversions = { min: '1.14', max: '1.39' }

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

async function withAmounts(
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
  try {
    const inventories = await part('inventories')
    const usages = await part('usages')
    return { ...provider, inventories, usages }
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'not_found') return undefined
    throw error
  }
}

export const placementActions: readonly WorkAction[] = [resourceProviderList]
