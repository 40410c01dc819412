import type { Random } from '../../random.ts'
import type { Machine } from '../machine/machine.ts'
import type { Matcher } from './matcher.ts'

export interface Silence {
  readonly id: string
  readonly matchers: readonly Matcher[]
  readonly author: string
  readonly comment: string
  /** World milliseconds since 1970, as all its times. */
  startsAt: number
  endsAt: number
  updatedAt: number
}

/**
 * One Alertmanager on each controller, which know of the same silences.
 *
 * 1. A silence is never removed: it ends by its time, or because somebody expires it.
 */
export interface Alertmanager {
  readonly hosts: readonly string[]
  readonly silences: readonly Silence[]
  now(): number
  /** Whether they answer at all. */
  answers: boolean
  /** Whether the one on a host takes connections. */
  up(host: string): boolean
  stateOf(silence: Silence): 'pending' | 'active' | 'expired'
  add(silence: Omit<Silence, 'id' | 'updatedAt'>): Silence
  /** One that has ended stays as it is. `undefined`: there is none with this id. */
  expire(id: string): Silence | undefined
}

export const alertmanagerPort = 9093

interface AlertmanagerOptions {
  readonly controllers: readonly string[]
  readonly machine: (name: string) => Machine | undefined
  readonly random: Random
  readonly now: () => number
}

export function createAlertmanager({ controllers, machine, random, now }: AlertmanagerOptions): Alertmanager {
  const silences: Silence[] = []
  const alertmanager: Alertmanager = {
    hosts: controllers,
    silences,
    now,
    answers: true,
    up(host) {
      return alertmanager.answers && controllers.includes(host) && machine(host)?.power.state() !== 'off'
    },
    stateOf({ startsAt, endsAt }) {
      if (now() < startsAt) return 'pending'
      return now() < endsAt ? 'active' : 'expired'
    },
    add(given) {
      const silence: Silence = { ...given, id: random.uuid(), updatedAt: now() }
      silences.push(silence)
      return silence
    },
    expire(id) {
      const silence = silences.find((each) => each.id === id)
      if (!silence || alertmanager.stateOf(silence) === 'expired') return silence
      silence.startsAt = Math.min(silence.startsAt, now())
      silence.endsAt = now()
      silence.updatedAt = now()
      return silence
    },
  }
  return alertmanager
}
