import { expect, test } from 'vitest'
import { cephContracts } from '../../simulator/hosts/ceph-contract.ts'
import { onHost } from '../support/hosts.ts'

test('there are statements about Ceph', () => {
  expect(cephContracts.length).toBeGreaterThan(3)
})

test.each(cephContracts)('the real Ceph keeps to it: $name', async ({ holds }) => {
  const signal = AbortSignal.timeout(240_000)
  await holds((host, command) => onHost(host, command, signal), 'ceph1')
})
