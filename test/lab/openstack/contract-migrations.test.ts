import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Faults, openstackMigrations, refusal } from '../../simulator/openstack/contract/migrations.ts'
import { removeTraces } from '../../simulator/openstack/contract/server.ts'
import { apiOf } from '../support/contract-api.ts'
import { computes, play, playNothing } from '../support/hypervisor.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

let cloud: Cloud

const plays = {
  refuse: { fail: { check_can_live_migrate_source: refusal } },
  break: { live_migration: { seconds: 3, fail: 'the lab breaks it off' } },
  stall: { live_migration: { stall: true } },
  linger: { delay: { get_available_resource: 10 } },
}
const faults: Faults = {
  async play(fault, { host }) {
    if (fault === 'none') playNothing(host)
    else play(host, plays[fault])
  },
}

beforeAll(async () => {
  cloud = await openCloud('lab-admin', AbortSignal.timeout(120_000))
})

afterAll(async () => {
  computes.forEach(playNothing)
  await removeTraces(apiOf(cloud))
})

openstackMigrations({ describe, test }, async () => apiOf(cloud), faults)
