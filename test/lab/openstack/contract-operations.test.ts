import { afterAll, beforeAll, describe, test } from 'vitest'
import { openstackGroups } from '../../simulator/openstack/contract/groups.ts'
import { openstackOperations } from '../../simulator/openstack/contract/operations.ts'
import { removeTraces } from '../../simulator/openstack/contract/server.ts'
import { apiOf } from '../support/contract-api.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

let cloud: Cloud

beforeAll(async () => {
  cloud = await openCloud('lab-admin', AbortSignal.timeout(120_000))
})

afterAll(async () => {
  await removeTraces(apiOf(cloud))
})

openstackOperations({ describe, test }, async () => apiOf(cloud))
openstackGroups({ describe, test }, async () => apiOf(cloud))
