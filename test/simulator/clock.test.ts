import { getActiveResourcesInfo } from 'node:process'
import { expect, test } from 'vitest'
import { type Clock, createClock } from '../../simulator/clock.ts'

const minute = 60_000
const startAt = Date.parse('2026-03-01T10:00:00Z')
const never = new AbortController().signal

/** A clock that ends with the test. */
function clockOf(speed?: number): Clock & Disposable {
  const clock = createClock({ startAt, speed })
  return { ...clock, [Symbol.dispose]: () => clock.close() }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))
async function turns(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await turn()
}

test('an hour passes at once when nobody works', async () => {
  using clock = clockOf()
  await clock.sleep(60 * minute, never)
  const passed = clock.now() - startAt
  expect(passed).toBeGreaterThanOrEqual(60 * minute)
  expect(passed).toBeLessThan(61 * minute)
})

test('while somebody works, a sleeper waits', async () => {
  using clock = clockOf()
  const done = clock.busy()
  let woken = false
  const first = clock.busy()
  const sleeping = clock.sleep(5 * minute, never).then(() => {
    woken = true
  })
  await turns(20)
  expect(woken).toBe(false)
  expect(clock.now() - startAt).toBeLessThan(minute)
  done()
  await sleeping
  expect(clock.now() - startAt).toBeGreaterThanOrEqual(5 * minute)
  first()
})

test('one who works and sleeps meanwhile lets time jump', async () => {
  using clock = clockOf()
  const done = clock.busy()
  await clock.sleep(20 * minute, never)
  done()
  expect(clock.now() - startAt).toBeGreaterThanOrEqual(20 * minute)
})

test('a deadline that is held busy does not run ahead of the work it limits', async () => {
  using clock = clockOf()
  const stop = new AbortController()
  const working = clock.busy()
  const waiting = clock.busy()
  let late = false
  const deadline = clock.sleep(30 * minute, stop.signal).then(
    () => {
      late = true
    },
    () => {},
  )
  await turns(20)
  for (let poll = 0; poll < 10; poll += 1) await clock.sleep(minute, never)
  expect(late).toBe(false)
  expect(clock.now() - startAt).toBeLessThan(11 * minute)
  stop.abort()
  await deadline
  working()
  waiting()
})

test('sleepers wake in the order of their moments, each at its own time', async () => {
  using clock = clockOf()
  const woken: [string, number][] = []
  const wait = (name: string, ms: number) =>
    clock.sleep(ms, never).then(() => void woken.push([name, Math.floor((clock.now() - startAt) / minute)]))
  await Promise.all([
    wait('late', 9 * minute),
    wait('early', minute),
    wait('middle', 4 * minute),
    wait('twin', 4 * minute),
  ])
  expect(woken).toEqual([
    ['early', 1],
    ['middle', 4],
    ['twin', 4],
    ['late', 9],
  ])
})

test('what a woken sleeper begins is seen before time jumps again', async () => {
  using clock = clockOf()
  const seen: string[] = []
  const minutes = () => Math.floor((clock.now() - startAt) / minute)
  const worker = (async () => {
    await clock.sleep(minute, never)
    const done = clock.busy()
    await turns(50)
    seen.push(`worked at ${minutes()}`)
    done()
  })()
  const done = clock.busy()
  const other = clock.sleep(60 * minute, never).then(() => void seen.push(`woke at ${minutes()}`))
  await Promise.all([worker, other])
  done()
  expect(seen).toEqual(['worked at 1', 'woke at 60'])
})

test('no wake-up is lost among many sleepers that sleep again', async () => {
  using clock = clockOf()
  let wakes = 0
  const sleepers = Array.from({ length: 40 }, async (_, index) => {
    for (let round = 0; round < 10; round += 1) {
      const done = clock.busy()
      await clock.sleep((index % 7) * 1000 + round, never)
      await turns(index % 3)
      wakes += 1
      done()
    }
  })
  await Promise.all(sleepers)
  expect(wakes).toBe(400)
})

test('an aborted sleep rejects with the reason and leaves no listener and no sleeper', async () => {
  using clock = clockOf()
  const stop = new AbortController()
  const done = clock.busy()
  const also = clock.busy()
  const sleeping = clock.sleep(minute, stop.signal)
  const reason = new Error('enough')
  stop.abort(reason)
  await expect(sleeping).rejects.toBe(reason)
  await expect(clock.sleep(1, stop.signal)).rejects.toBe(reason)
  // with the aborted one still counted, one working and one sleeping would let time jump
  const other = clock.sleep(minute, never)
  await turns(20)
  expect(clock.now() - startAt).toBeLessThan(minute)
  done()
  await other
  also()
})

test('a finished sleep leaves no listener on its signal', async () => {
  using clock = clockOf()
  const listening = new Set<unknown>()
  const signal = {
    aborted: false,
    reason: undefined,
    addEventListener: (_: string, listener: unknown) => void listening.add(listener),
    removeEventListener: (_: string, listener: unknown) => void listening.delete(listener),
  } as unknown as AbortSignal
  const sleeping = clock.sleep(minute, signal)
  expect(listening.size).toBe(1)
  await sleeping
  expect(listening.size).toBe(0)
})

test('a planned event does not make time jump, but happens on the way', async () => {
  using clock = clockOf()
  const happened: number[] = []
  clock.after(10 * minute, () => happened.push(Math.floor((clock.now() - startAt) / minute)))
  const off = clock.after(11 * minute, () => happened.push(-1))
  off()
  await turns(20)
  expect(happened).toEqual([])
  expect(clock.now() - startAt).toBeLessThan(minute)
  await clock.sleep(30 * minute, never)
  expect(happened).toEqual([10])
})

test('advancing wakes everybody on the way in order, also those who sleep again', async () => {
  using clock = clockOf()
  const busy = clock.busy()
  const more = [clock.busy(), clock.busy()]
  const woken: string[] = []
  const twice = (async () => {
    await clock.sleep(2 * minute, never)
    woken.push('two')
    await clock.sleep(2 * minute, never)
    woken.push('four')
  })()
  clock.after(3 * minute, () => woken.push('three'))
  await clock.advance(5 * minute)
  await twice
  expect(woken).toEqual(['two', 'three', 'four'])
  const passed = clock.now() - startAt
  expect(passed).toBeGreaterThanOrEqual(5 * minute)
  expect(passed).toBeLessThan(6 * minute)
  busy()
  for (const end of more) end()
})

test('ending the same work twice counts once', async () => {
  using clock = clockOf()
  const first = clock.busy()
  clock.busy()
  clock.busy()
  first()
  first()
  let woken = false
  const stop = new AbortController()
  const sleeping = clock.sleep(minute, stop.signal).then(
    () => {
      woken = true
    },
    () => {},
  )
  await turns(20)
  expect(woken).toBe(false)
  stop.abort()
  await sleeping
})

test('with a speed time runs that much faster and never jumps', async () => {
  using clock = clockOf(60_000)
  let woken = false
  const stop = new AbortController()
  const far = clock.sleep(24 * 60 * minute, stop.signal).then(
    () => {
      woken = true
    },
    () => {},
  )
  await clock.sleep(minute, never)
  expect(clock.now() - startAt).toBeGreaterThanOrEqual(minute)
  expect(woken).toBe(false)
  stop.abort()
  await far
})

test('time never goes back', async () => {
  using clock = clockOf()
  let last = clock.now()
  for (let index = 0; index < 50; index += 1) {
    await clock.sleep(index % 2 === 0 ? 1000 : 0, never)
    expect(clock.now()).toBeGreaterThanOrEqual(last)
    last = clock.now()
  }
})

test('a closed clock rejects its sleepers and keeps no timer', async () => {
  const clock = createClock({ startAt })
  const timers = () => getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const before = timers()
  const ends = [clock.busy(), clock.busy()]
  const sleeping = clock.sleep(minute, never)
  clock.after(minute, () => expect.unreachable('happened after the end'))
  expect(timers()).toBe(before + 1)
  clock.close()
  await expect(sleeping).rejects.toThrow('the rehearsal is over')
  await expect(clock.sleep(1, never)).rejects.toThrow('the rehearsal is over')
  expect(timers()).toBe(before)
  for (const end of ends) end()
})
