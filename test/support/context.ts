import type { ActionContext, Clock, CloudConfig, Effect, HttpRequest } from '../../engine/action/contract.ts'
import { httpDoor } from '../../engine/host/http.ts'
import { localFiles } from '../../engine/host/local-files.ts'
import type { Call } from '../../engine/run/event.ts'

export interface HandClock {
  now(): number
  /** Over at once when nobody works, as time in a rehearsal is; else it waits until `advance`. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  busy(): () => void
  advance(ms: number): void
  /** What was slept through, in milliseconds, in order. */
  readonly slept: readonly number[]
}

/** A clock that a test drives. */
export function handClock(start = '2026-03-01T12:00:00Z'): HandClock {
  let now = Date.parse(start)
  let working = 0
  const slept: number[] = []
  const waiting: { at: number; wake: () => void }[] = []

  function wakeUntil(moment: number): void {
    for (;;) {
      const next = waiting.toSorted((a, b) => a.at - b.at)[0]
      if (!next || next.at > moment) break
      waiting.splice(waiting.indexOf(next), 1)
      now = Math.max(now, next.at)
      next.wake()
    }
  }

  return {
    now: () => now,
    slept,
    sleep(ms, signal) {
      if (signal.aborted) return Promise.reject(signal.reason)
      if (working === 0) {
        now += ms
        slept.push(ms)
        return Promise.resolve()
      }
      return new Promise<void>((resolve, reject) => {
        const entry = {
          at: now + ms,
          wake() {
            signal.removeEventListener('abort', stop)
            slept.push(ms)
            resolve()
          },
        }
        const stop = () => {
          waiting.splice(waiting.indexOf(entry), 1)
          reject(signal.reason)
        }
        signal.addEventListener('abort', stop, { once: true })
        waiting.push(entry)
      })
    },
    busy() {
      working += 1
      return () => {
        working -= 1
        if (working === 0) wakeUntil(waiting.reduce((last, { at }) => Math.max(last, at), now))
      }
    },
    advance(ms) {
      const target = now + ms
      wakeUntil(target)
      now = target
    },
  }
}

export interface TestContext {
  readonly ctx: ActionContext
  readonly clock: HandClock
  /** Every exchange, as the transcript would hold it. */
  readonly calls: readonly Call[]
  /** Every request as the action made it. */
  readonly requests: readonly HttpRequest[]
  /** Values declared secret. */
  readonly secrets: readonly string[]
  readonly progress: readonly string[]
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestContextOptions {
  readonly effect?: Effect
  /** Instead of the one driven by hand. */
  readonly clock?: Clock & { busy?(): () => void }
  /** When the attempt began, milliseconds since 1970; now, unless told. */
  readonly began?: number
}

/** An action's world for a test: real HTTP, a clock driven by hand, clouds as given; no hosts. */
export function testContext(clouds: readonly CloudConfig[], options: TestContextOptions = {}): TestContext {
  const hand = handClock()
  const clock = options.clock ?? hand
  const calls: Call[] = []
  const requests: HttpRequest[] = []
  const secrets: string[] = []
  const progress: string[] = []
  const kept = new Map<string, Promise<unknown>>()
  const door = httpDoor({ clock, onCall: (call) => calls.push(call) })
  const noHosts = () => Promise.reject(new Error('this test has no hosts'))

  const ctx: ActionContext = {
    step: { run: 'test', key: 'step', attempt: 'a', began: options.began ?? clock.now() },
    effect: options.effect ?? 'read',
    clock,
    http(request, signal) {
      requests.push(request)
      return door.request(request, signal)
    },
    ssh: { exec: noHosts },
    local: { exec: noHosts },
    files: localFiles,
    clouds: {
      async get(name) {
        const found = name === undefined ? clouds[0] : clouds.find((cloud) => cloud.name === name)
        if (!found) throw new Error(`no cloud \`${name}\` in this test`)
        return found
      },
    },
    hosts: { matching: () => [] },
    secrets: { add: (_, value) => secrets.push(value) },
    progress: (text) => progress.push(text),
    keep<T>(key: string, open: () => Promise<T>) {
      const value = (kept.get(key) as Promise<T> | undefined) ?? open()
      kept.set(key, value)
      return value
    },
  }
  return { ctx, clock: hand, calls, requests, secrets, progress, [Symbol.asyncDispose]: () => door.close() }
}

/** A signal that nobody aborts. */
export const never: AbortSignal = new AbortController().signal
