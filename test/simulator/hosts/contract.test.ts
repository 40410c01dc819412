import { describe, test } from 'vitest'
import { contracts } from './contract.ts'
import { startWorld } from './world.ts'

const hosts = {
  any: ['ctl1', 'cmp1', 'ceph1', 'db1'],
  ceph: ['ceph1', 'ctl1'],
  database: ['db1'],
  balancer: ['ctl1'],
  controller: ['ctl2'],
} as const

describe.each(contracts)('$name', ({ on, holds }) => {
  test.each(hosts[on].map((host) => ({ host })))('on $host', async ({ host }) => {
    await using world = await startWorld({ computes: 1 })
    await holds((name, command) => world.run(name, command), host)
  })
})
