import { expect, test } from 'vitest'
import { clusterContracts } from '../../simulator/hosts/cluster-contract.ts'
import { onHost } from '../support/hosts.ts'

const contracts = clusterContracts.filter(({ on }) => on === 'ceph')

test('there are statements about Ceph', () => {
  expect(contracts.length).toBeGreaterThan(3)
})

test.each(contracts)('the real Ceph keeps to it: $name', async ({ holds }) => {
  const signal = AbortSignal.timeout(240_000)
  await holds((host, command) => onHost(host, command, signal), 'ceph1')
})
