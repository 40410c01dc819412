import { afterAll, describe, test } from 'vitest'
import { openstackChanges } from './contract/changes.ts'
import { openstackDoors } from './contract/doors.ts'
import { openstackOperations } from './contract/operations.ts'
import { openstackContract } from './contract/statements.ts'
import { cloudOf } from './support.ts'

const cloud = cloudOf()
afterAll(async () => (await cloud).close())

openstackContract({ describe, test }, async () => (await cloud).admin)
openstackDoors({ describe, test }, async () => (await cloud).admin)
openstackChanges({ describe, test }, async () => (await cloud).admin)

openstackOperations({ describe, test }, async () => (await cloud).admin)
