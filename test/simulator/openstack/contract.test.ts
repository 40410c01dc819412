import { afterAll, describe, test } from 'vitest'
import { openstackContract } from './contract/statements.ts'
import { cloudOf } from './support.ts'

const cloud = cloudOf()
afterAll(async () => (await cloud).close())

openstackContract({ describe, test }, async () => (await cloud).admin)
