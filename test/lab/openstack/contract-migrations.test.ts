import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type Faults, openstackMigrations, refusal } from '../../simulator/openstack/contract/migrations.ts'
import { removeTraces } from '../../simulator/openstack/contract/server.ts'
import { apiOf } from '../support/contract-api.ts'
import { lab } from '../support/lab.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

let cloud: Cloud

/** What the hypervisor of a compute on this machine is told to play: the head of `fake_lab_driver.py` says how. */
const controlOf = (host: string) => join(dirname(lab.clouds), 'nova', host, 'lab-control.json')
const hosts = ['compute-1', 'compute-2', 'compute-3']
const plays = {
  refuse: { fail: { check_can_live_migrate_source: refusal } },
  break: { live_migration: { seconds: 3, fail: 'the lab breaks it off' } },
  stall: { live_migration: { stall: true } },
  linger: { delay: { get_available_resource: 10 } },
}
const faults: Faults = {
  async play(fault, { host }) {
    if (fault === 'none') rmSync(controlOf(host), { force: true })
    else writeFileSync(controlOf(host), JSON.stringify(plays[fault]))
  },
}

beforeAll(async () => {
  cloud = await openCloud('lab-admin', AbortSignal.timeout(120_000))
})

afterAll(async () => {
  for (const host of hosts) rmSync(controlOf(host), { force: true })
  await removeTraces(apiOf(cloud))
})

openstackMigrations({ describe, test }, async () => apiOf(cloud), faults)
