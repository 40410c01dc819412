import { expect, test } from 'vitest'
import { matchPattern } from '../../../engine/inventory/pattern.ts'

const known = {
  hosts: ['c1', 'c10', 'c2', 'db1', 'ctl-a'],
  groups: new Map([
    ['computes', new Set(['c1', 'c2', 'c10'])],
    ['rack1', new Set(['c1', 'db1'])],
    ['empty', new Set<string>()],
  ]),
}

test.each([
  ['c1', ['c1']],
  ['all', ['c1', 'c2', 'c10', 'ctl-a', 'db1']],
  ['computes', ['c1', 'c2', 'c10']],
  ['computes:!rack1', ['c2', 'c10']],
  ['!rack1,computes', ['c2', 'c10']],
  ['computes:&rack1', ['c1']],
  ['!computes', ['ctl-a', 'db1']],
  ['c?', ['c1', 'c2']],
  ['c*', ['c1', 'c2', 'c10', 'ctl-a']],
  ['rack*', ['c1', 'db1']],
  ['c1,c1:computes', ['c1', 'c2', 'c10']],
  ['db1 , ctl-a', ['ctl-a', 'db1']],
  ['empty', []],
  ['c1.', []],
  ['C1', []],
  ['', []],
])('the pattern `%s` names %j', (pattern, hosts) => {
  expect(matchPattern(pattern, known)).toEqual(hosts)
})
