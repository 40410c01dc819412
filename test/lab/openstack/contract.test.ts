import { afterAll, beforeAll, describe, test } from 'vitest'
import { openstackChanges } from '../../simulator/openstack/contract/changes.ts'
import { openstackDoors } from '../../simulator/openstack/contract/doors.ts'
import { openstackQueries } from '../../simulator/openstack/contract/queries.ts'
import { openstackContract } from '../../simulator/openstack/contract/statements.ts'
import { apiOf } from '../support/contract-api.ts'
import { type Furniture, furnish } from '../support/furniture.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

let cloud: Cloud
let furniture: Furniture

beforeAll(async () => {
  const signal = AbortSignal.timeout(300_000)
  cloud = await openCloud('lab-admin', signal)
  furniture = await furnish(cloud, signal)
})

afterAll(async () => {
  await furniture?.remove(AbortSignal.timeout(240_000))
})

openstackContract({ describe, test }, async () => apiOf(cloud))
openstackDoors({ describe, test }, async () => apiOf(cloud))
openstackChanges({ describe, test }, async () => apiOf(cloud))
openstackQueries({ describe, test }, async () => apiOf(cloud))
