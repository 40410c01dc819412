import { expect, test } from 'vitest'
import { galeraContracts } from '../../simulator/hosts/galera-contract.ts'
import { onHostExactly } from '../support/hosts.ts'

// not the node that haproxy sends people to
const hosts = { database: 'db2', balancer: 'lb1' } as const
const statements = galeraContracts.flatMap(({ on, ...statement }) =>
  on === 'database' || on === 'balancer' ? [{ ...statement, host: hosts[on] }] : [],
)

test('there are statements about databases and about haproxy', () => {
  expect(new Set(statements.map(({ host }) => host))).toEqual(new Set(['db2', 'lb1']))
})

// each command has its own time, so that a statement that fails still puts things back
test.each(statements)('$host keeps to it: $name', { timeout: 400_000 }, async ({ holds, host }) => {
  await holds((on, command) => onHostExactly(on, command, AbortSignal.timeout(340_000)), host)
})
