import { expect, test } from 'vitest'
import { hostsOf, inventoryOf } from '../../../engine/inventory/inventory.ts'

const document = {
  apiVersion: 'runbook/v1',
  ssh: { user: 'ops', port: 22 },
  vars: { rack: 'none', site: 'a' },
  hosts: {
    c1: { address: '10.0.0.1', groups: ['edge'], vars: { rack: 'r1' } },
    c2: null,
    db1: { ssh: { port: 2222 } },
  },
  groups: {
    computes: { hosts: ['c1', 'c2'], ssh: { user: 'nova' }, vars: { rack: 'r0' } },
    site: { groups: ['computes'], hosts: ['db1'] },
  },
}

test('the most specific setting wins: host, then group, then inventory', () => {
  const { inventory } = inventoryOf(document)
  expect(inventory.hosts.get('c1')).toEqual({
    name: 'c1',
    address: '10.0.0.1',
    groups: ['computes', 'edge', 'site'],
    vars: { rack: 'r1', site: 'a' },
    ssh: { user: 'nova', port: 22 },
  })
  expect(inventory.hosts.get('c2')).toMatchObject({ address: 'c2', vars: { rack: 'r0' } })
  expect(inventory.hosts.get('db1')?.ssh).toEqual({ user: 'ops', port: 2222 })
})

test('what a group within another says wins, in whatever order they are written', () => {
  const outer = { groups: ['inner'], vars: { rack: 'outer', row: 'outer' }, ssh: { user: 'outer' } }
  const inner = { hosts: ['c1'], vars: { rack: 'inner' }, ssh: { user: 'inner', port: 23 } }
  for (const groups of [
    { outer, inner },
    { inner, outer },
  ] as const) {
    const { inventory, problems } = inventoryOf({ apiVersion: 'runbook/v1', hosts: { c1: null }, groups })
    expect(problems).toEqual([])
    expect(inventory.hosts.get('c1')).toMatchObject({
      vars: { rack: 'inner', row: 'outer' },
      ssh: { user: 'inner', port: 23 },
    })
  }
})

test('a name that a host and a group share, and a host or a group called `all`, are told with their place', () => {
  const hosts = { db: null, c1: { groups: ['c1', 'edge'] } }
  const groups = { db: { hosts: ['c1'] }, all: { hosts: ['c1'] } }
  expect(inventoryOf({ apiVersion: 'runbook/v1', hosts, groups }).problems).toEqual([
    expect.objectContaining({ code: 'RB2403', path: ['groups', 'all'] }),
    expect.objectContaining({ code: 'RB2403', path: ['groups', 'db'] }),
    expect.objectContaining({ code: 'RB2403', path: ['hosts', 'c1'] }),
  ])
  expect(inventoryOf({ apiVersion: 'runbook/v1', hosts: { all: null } }).problems).toMatchObject([
    { code: 'RB2403', path: ['hosts', 'all'] },
  ])
})

test('a group holds the hosts of the groups in it', () => {
  const { inventory } = inventoryOf(document)
  expect(
    hostsOf(inventory)
      .matching('site')
      .map(({ name }) => name),
  ).toEqual(['c1', 'c2', 'db1'])
})

test('--limit takes away what it does not name', () => {
  const { inventory } = inventoryOf(document)
  expect(
    hostsOf(inventory, 'computes:!c2')
      .matching('all')
      .map(({ name }) => name),
  ).toEqual(['c1'])
})

test('names that are not there, and groups that hold themselves, are told with their place', () => {
  const { problems } = inventoryOf({
    apiVersion: 'runbook/v1',
    hosts: { c1: null },
    groups: { a: { hosts: ['c9'], groups: ['b'] }, b: { groups: ['a', 'zz'] } },
  })
  expect(problems).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ code: 'RB2401', path: ['groups', 'a', 'hosts', 0] }),
      expect.objectContaining({ code: 'RB2402', path: ['groups', 'b', 'groups', 0] }),
      expect.objectContaining({ code: 'RB2401', path: ['groups', 'b', 'groups', 1] }),
    ]),
  )
})
