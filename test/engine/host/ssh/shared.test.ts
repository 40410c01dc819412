import { expect, test } from 'vitest'
import { shared } from '../../../../engine/host/ssh/shared.ts'
import { slots } from '../../../../engine/host/ssh/slots.ts'
import { never } from './harness.ts'

/** Something that is opened when told, or stops when its signal is aborted. */
function opening() {
  let open = (_: string) => {}
  const signals: AbortSignal[] = []
  const thing = shared(
    (signal) =>
      new Promise<string>((resolve, reject) => {
        open = resolve
        signals.push(signal)
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  return { thing, open: (value: string) => open(value), signals }
}

test('is opened once for all who wait', async () => {
  const { thing, open, signals } = opening()
  const both = Promise.all([thing.get(never), thing.get(never)])
  open('it')
  await expect(both).resolves.toEqual(['it', 'it'])
  await expect(thing.get(never)).resolves.toBe('it')
  expect(signals).toHaveLength(1)
})

test('goes on being opened while one still waits', async () => {
  const { thing, open, signals } = opening()
  const stop = new AbortController()
  const leaving = thing.get(stop.signal)
  const staying = thing.get(never)
  stop.abort(new Error('enough'))
  await expect(leaving).rejects.toThrow('enough')
  expect(signals[0]?.aborted).toBe(false)
  open('it')
  await expect(staying).resolves.toBe('it')
})

test('stops being opened when nobody waits any more', async () => {
  const { thing, signals } = opening()
  const stop = new AbortController()
  const leaving = thing.get(stop.signal)
  stop.abort(new Error('enough'))
  await expect(leaving).rejects.toThrow('enough')
  expect(signals[0]?.aborted).toBe(true)
})

test('is closed when it was opened, and stopped when it was not', async () => {
  const opened = opening()
  const waiting = opened.thing.get(never)
  opened.open('it')
  await waiting
  const closed: string[] = []
  await opened.thing.close(async (value) => void closed.push(value))
  expect(closed).toEqual(['it'])

  const unopened = opening()
  const refused = unopened.thing.get(never).catch((error) => error.message)
  await unopened.thing.close(async (value) => void closed.push(value))
  await expect(refused).resolves.toBe('the run has ended')
  expect(closed).toEqual(['it'])
})

test('places are given in the order they are asked for, and a place freed twice is one place', async () => {
  const line = slots(1)
  const order: number[] = []
  const first = await line.take(never)
  const come = async (n: number) => {
    const free = await line.take(never)
    order.push(n)
    return free
  }
  const second = come(2)
  const third = come(3)
  first()
  first()
  const free = await second
  expect(order).toEqual([2])
  free()
  await third
  expect(order).toEqual([2, 3])
})

test('who leaves the line takes no place', async () => {
  const line = slots(1)
  const free = await line.take(never)
  const stop = new AbortController()
  const leaving = line.take(stop.signal)
  const staying = line.take(never)
  stop.abort(new Error('enough'))
  await expect(leaving).rejects.toThrow('enough')
  free()
  await expect(staying).resolves.toBeTypeOf('function')
})
