import { expect, test } from 'vitest'
import type { BodiesOptions } from '../../../engine/journal/bodies.ts'
import { walkBodies } from '../../../engine/journal/bodies.ts'
import type { Body, SectionResult } from '../../../engine/run/durable.ts'
import { Parked } from '../../../engine/run/durable.ts'

interface Open {
  readonly resolve: (result: SectionResult) => void
  readonly reject: (error: unknown) => void
}

/** Bodies `a`, `b`, …, each walked until the test says how it ends, and in what order they were begun. */
function hand(reached: { readonly [key: string]: 'begun' | 'ended' } = {}) {
  const begun: string[] = []
  const open = new Map<string, Open>()
  let cancelled = false
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const on = async (key: string, act: (body: Open) => void) => {
    await settled()
    const body = open.get(key)
    if (!body) throw new Error(`${key} was not begun; ${begun.join(', ')} were`)
    act(body)
    await settled()
  }
  return {
    begun,
    walk: (keys: string, limits: Partial<BodiesOptions> = {}, shield = false) =>
      walkBodies(
        [...keys].map((key): Body => bodyOf(key, shield)),
        {
          concurrency: 1,
          stopAfter: 1,
          walk: ({ key }) => {
            begun.push(key)
            return new Promise((resolve, reject) => open.set(key, { resolve, reject }))
          },
          reached: (key) => reached[key] ?? 'nowhere',
          cancelled: () => cancelled,
          ...limits,
        },
      ),
    cancel: () => {
      cancelled = true
    },
    /** Until nothing more begins by itself. */
    settled,
    end: (key: string, status: 'succeeded' | 'failed' = 'succeeded') =>
      on(key, ({ resolve }) => resolve(resultOf(status))),
    throws: (key: string, error: unknown) => on(key, ({ reject }) => reject(error)),
  }
}

const bodyOf = (key: string, shield: boolean): Body => ({
  path: 'step',
  part: 'item',
  key,
  vars: { inputs: {}, steps: {}, names: {}, shield },
})

const resultOf = (status: 'succeeded' | 'failed'): SectionResult => ({
  outcome: status === 'failed' ? { status, error: { code: 'x', message: 'x' } } : { status, result: null },
  view: {},
  undo: [],
})

const statuses = (results: readonly (SectionResult | undefined)[]) => results.map((each) => each?.outcome.status)

test('results come in the order of the bodies, whatever ends first', async () => {
  const { walk, end } = hand()
  const all = walk('ab', { concurrency: 2, stopAfter: 2 })
  await end('b', 'failed')
  await end('a')
  expect(statuses(await all)).toEqual(['succeeded', 'failed'])
})

test('no more begin once so many have failed, and what was not begun is undefined', async () => {
  const { walk, end, begun } = hand()
  const all = walk('abc', { concurrency: 2 })
  await end('a', 'failed')
  await end('b')
  expect(statuses(await all)).toEqual(['failed', 'succeeded', undefined])
  expect(begun).toEqual(['a', 'b'])
})

test('what had begun before is walked first, and to its end though another had failed', async () => {
  const { walk, end, begun } = hand({ b: 'ended', d: 'begun' })
  const all = walk('abcd')
  await end('b', 'failed')
  await end('d')
  expect(statuses(await all)).toEqual([undefined, 'failed', undefined, 'succeeded'])
  expect(begun).toEqual(['b', 'd'])
})

test('what had begun before is walked to its end though the run was cancelled, and nothing new is', async () => {
  const { walk, end, cancel, begun } = hand({ b: 'begun' })
  cancel()
  const all = walk('ab')
  await end('b')
  expect(statuses(await all)).toEqual([undefined, 'succeeded'])
  expect(begun).toEqual(['b'])
})

test('clean-up begins though the run was cancelled', async () => {
  const { walk, end, cancel } = hand()
  cancel()
  const all = walk('a', {}, true)
  await end('a')
  expect(statuses(await all)).toEqual(['succeeded'])
})

test('nothing new begins before all that had ended is walked again, however much room there is', async () => {
  const { walk, end, settled, begun } = hand({ a: 'ended' })
  const all = walk('abc', { concurrency: 3 })
  await settled()
  expect(begun).toEqual(['a'])
  await end('a', 'failed')
  expect(statuses(await all)).toEqual(['failed', undefined, undefined])
})

test('what had only begun keeps nobody waiting', async () => {
  const { walk, end, settled, begun } = hand({ a: 'begun' })
  const all = walk('ab', { concurrency: 2 })
  await settled()
  expect(begun).toEqual(['a', 'b'])
  await end('a')
  await end('b')
  await all
})

test('what waits for a person keeps its place, and the others go on', async () => {
  const { walk, end, throws, begun } = hand()
  const all = walk('abcd', { concurrency: 2 }).catch((error: unknown) => error)
  await throws('a', new Parked('a', false))
  await end('b')
  await end('c')
  await end('d')
  expect(await all).toBeInstanceOf(Parked)
  expect(begun).toEqual(['a', 'b', 'c', 'd'])
})

test('as many as may go on at a time wait for a person, and nothing begins in their stead', async () => {
  const { walk, throws, begun } = hand()
  const all = walk('abc', { concurrency: 2 }).catch((error: unknown) => error)
  await throws('a', new Parked('a', false))
  await throws('b', new Parked('b', false))
  expect(await all).toBeInstanceOf(Parked)
  expect(begun).toEqual(['a', 'b'])
})

test('after any other error nothing begins, what was begun is waited for, and the error is what is thrown', async () => {
  const { walk, end, throws, begun } = hand()
  let over = false
  const all = walk('abcd', { concurrency: 3 })
    .catch((error: unknown) => error)
    .finally(() => {
      over = true
    })
  await throws('a', new Parked('a', false))
  await throws('b', new Error('the disk is full'))
  expect(over).toBe(false)
  await end('c')
  expect(await all).toMatchObject({ message: 'the disk is full' })
  expect(begun).toEqual(['a', 'b', 'c'])
})
