import { afterAll, describe, test } from 'vitest'
import { upset } from '../../../simulator/openstack/nova/faults/fault.ts'
import { openstackChanges } from './contract/changes.ts'
import { openstackDoors } from './contract/doors.ts'
import { openstackGroups } from './contract/groups.ts'
import { type Faults, openstackMigrations, refusal } from './contract/migrations.ts'
import { openstackOperations } from './contract/operations.ts'
import { openstackQueries } from './contract/queries.ts'
import { openstackContract } from './contract/statements.ts'
import { cloudOf } from './support.ts'

const cloud = cloudOf()
afterAll(async () => (await cloud).close())

openstackContract({ describe, test }, async () => (await cloud).admin)
openstackDoors({ describe, test }, async () => (await cloud).admin)
openstackChanges({ describe, test }, async () => (await cloud).admin)
openstackQueries({ describe, test }, async () => (await cloud).admin)

openstackOperations({ describe, test }, async () => (await cloud).admin)

const kinds = { refuse: 'precheck', break: 'breaks', stall: 'stalls' } as const // and it lingers for two seconds anyway
const faults: Faults = {
  async play(fault, { id }) {
    const { cloud: state } = (await cloud).world
    state.nova.upsets.length = 0
    if (fault in kinds) upset(state, kinds[fault as keyof typeof kinds], { server: id, message: refusal })
  },
}
openstackMigrations({ describe, test }, async () => (await cloud).admin, faults)
openstackGroups({ describe, test }, async () => (await cloud).admin)
