import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Group,
  type Guest,
  lossesTooLarge,
  type Place,
  placeAll,
  type Wanted,
} from '../../../plugins/openstack/fit.ts'

const place = (host: string, memory: number, { used = 0, vcpus = 100, largest = memory } = {}): Place => ({
  host,
  stocks: {
    MEMORY_MB: { capacity: memory, used, largest },
    VCPU: { capacity: vcpus, used: 0, largest: vcpus },
  },
})
const guest = (name: string, memory: number, more: object = {}): Guest => ({
  id: name,
  name,
  needs: { MEMORY_MB: memory, VCPU: 1 },
  ...more,
})
const wanted = (guests: readonly Guest[], places: readonly Place[], more: Partial<Wanted> = {}): Wanted => ({
  guests,
  places,
  groups: [],
  reserve: 0,
  ...more,
})
const group = (policy: string, members: { [id: string]: string }, mostOnHost = 1): Group => ({
  name: 'ring',
  policy,
  mostOnHost,
  members: new Map(Object.entries(members)),
})
const hostsOf = (it: Wanted) => Object.fromEntries(placeAll(it).placed.map(({ guest, host }) => [guest.id, host]))
const whyNot = (it: Wanted) =>
  placeAll(it).unplaced.map(({ guest, refusals }) => [guest.id, ...refusals.map(({ why }) => why)])

test('room enough in sum is no room when no single host holds the last server', () => {
  const it = wanted([guest('big', 12), guest('small', 4)], [place('a', 10), place('b', 10), place('c', 10)])
  expect(whyNot(it)).toEqual([
    ['big', ...Array(3).fill('it gives at most 10 MiB of memory to one server, 12 are needed')],
  ])
  const crowded = wanted(
    [guest('one', 6), guest('two', 6), guest('three', 6)],
    [place('a', 100, { used: 91 }), place('b', 100, { used: 91 })],
  )
  expect(Object.keys(hostsOf(crowded))).toHaveLength(2)
  expect(whyNot(crowded)).toEqual([
    ['two', 'it has 3 MiB of memory left, 6 are needed', 'it has 3 MiB of memory left, 6 are needed'],
  ])
})

test('each server takes its room from the next, the largest first', () => {
  expect(hostsOf(wanted([guest('s', 2), guest('l', 8), guest('m', 4)], [place('a', 10), place('b', 9)]))).toEqual({
    l: 'a',
    m: 'b',
    s: 'b',
  })
})

test('where spreading them leaves one out, they are packed', () => {
  // spread, 4 and 3 stand on each host, and 2 finds room on neither
  const guests = [guest('w', 4), guest('x', 4), guest('y', 3), guest('z', 3), guest('v', 2)]
  expect(placeAll(wanted(guests, [place('a', 8), place('b', 8)])).unplaced).toEqual([])
})

test('the reserve of every host stays free, and what is used counts', () => {
  const [only] = [place('a', 100, { used: 40 })]
  expect(whyNot(wanted([guest('s', 46)], [only as Place], { reserve: 0.15 }))).toEqual([
    ['s', 'it has 45 MiB of memory left, 46 are needed'],
  ])
  expect(hostsOf(wanted([guest('s', 45)], [only as Place], { reserve: 0.15 }))).toEqual({ s: 'a' })
})

test('every resource class has to fit, and one that a host lacks never does', () => {
  const needs = { MEMORY_MB: 1, VCPU: 1, CUSTOM_GPU: 1 }
  expect(whyNot(wanted([guest('s', 1, { needs })], [place('a', 10)]))).toEqual([['s', 'it gives no CUSTOM_GPU']])
  expect(whyNot(wanted([guest('s', 1, { needs: { VCPU: 3 } })], [place('a', 10, { vcpus: 2 })]))).toEqual([
    ['s', 'it gives at most 2 processors to one server, 3 are needed'],
  ])
})

test('a group that is kept apart counts those that are there and those that go there', () => {
  const groups = [group('anti-affinity', { s: 'h', t: 'h', other: 'a' })]
  const it = wanted([guest('s', 1), guest('t', 1)], [place('a', 10), place('b', 10)], { groups })
  expect(hostsOf(it)).toEqual({ s: 'b' })
  expect(whyNot(it)).toEqual([
    ['t', 'group `ring` keeps it apart from a server there', 'group `ring` keeps it apart from a server there'],
  ])
  const two = { ...it, groups: [group('anti-affinity', { s: 'h', t: 'h', other: 'a' }, 2)] }
  expect(placeAll(two).unplaced).toEqual([])
  const soft = { ...it, groups: [group('soft-anti-affinity', { s: 'h', t: 'h', other: 'a' })] }
  expect(placeAll(soft).unplaced).toEqual([])
})

test('a group that stays together goes where its others are, and does not leave them', () => {
  const places = [place('a', 10), place('b', 10)]
  const apart = wanted([guest('s', 1)], places, { groups: [group('affinity', { s: 'h', t: 'b' })] })
  expect(hostsOf(apart)).toEqual({ s: 'b' })
  const here = { ...apart, groups: [group('affinity', { s: 'h', t: 'h' })] }
  expect(whyNot(here)).toEqual([['s', 'group `ring` keeps it on `h`', 'group `ring` keeps it on `h`']])
  expect(placeAll({ ...apart, groups: [group('affinity', { s: 'h' })] }).unplaced).toEqual([])
})

test('a small server that only one host may take is not robbed of it by a large one', () => {
  const small = guest('small', 1, { barred: new Map([['b', 'closed']]) })
  expect(hostsOf(wanted([guest('large', 10), small], [place('a', 10), place('b', 10)]))).toEqual({
    small: 'a',
    large: 'b',
  })
})

test('a host counts as lost with all that it would hold, and the others with their reserves', () => {
  const losses = (it: Wanted) =>
    lossesTooLarge(it, placeAll(it)).map(({ host, holds, room }) => ({ host, holds, room }))
  const three = [place('a', 100, { used: 60 }), place('b', 100, { used: 60 }), place('c', 100, { used: 20 })]
  expect(losses(wanted([], three))).toEqual([])
  expect(losses(wanted([guest('s', 70)], three))).toEqual([
    { host: 'a', holds: 60, room: 50 },
    { host: 'b', holds: 60, room: 50 },
    { host: 'c', holds: 90, room: 80 },
  ])
  expect(losses(wanted([], three, { reserve: 0.5 }))).toEqual([])
})

test('whatever is placed has room there, and nobody is placed twice or lost', () => {
  const amounts = fc.integer({ min: 0, max: 40 })
  fc.assert(
    fc.property(
      fc.array(amounts, { maxLength: 12 }),
      fc.array(fc.tuple(amounts, amounts), { maxLength: 5 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (sizes, rooms, reserve) => {
        const guests = sizes.map((size, index) => guest(`s${index}`, size))
        const places = rooms.map(([memory, used], index) =>
          place(`h${index}`, memory, { used: Math.min(used, memory) }),
        )
        const it = wanted(guests, places, { reserve })
        const { placed, unplaced, left } = placeAll(it)
        const ids = [...placed, ...unplaced].map((one) => one.guest.id)
        expect(ids.toSorted()).toEqual(guests.map(({ id }) => id).toSorted())
        for (const { host, stocks } of places) {
          const { capacity = 0, used = 0 } = stocks['MEMORY_MB'] ?? {}
          const taken = placed
            .filter((one) => one.host === host)
            .reduce((sum, one) => sum + (one.guest.needs['MEMORY_MB'] ?? 0), 0)
          if (taken > 0) expect(used + taken).toBeLessThanOrEqual(Math.floor(capacity * (1 - reserve)))
          expect(left.find((one) => one.host === host)?.room['MEMORY_MB']).toBe(
            Math.floor(capacity * (1 - reserve)) - used - taken,
          )
        }
      },
    ),
  )
})
