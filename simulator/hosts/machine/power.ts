import type { Clock } from '../../clock.ts'
import type { Random } from '../../random.ts'

/**
 * Whether a machine runs.
 *
 * 1. `on` → `stopping` → `off` → `on`: a reboot passes through all three, on the world's clock.
 * 2. While `stopping` commands still answer; while `off` nothing does, and connections are refused.
 * 3. Each start has a boot id of its own.
 * 4. A machine has current while it is `off` on its way through a reboot, and none when it was switched off.
 */
export interface Power {
  state(): 'on' | 'stopping' | 'off'
  boot(): { readonly id: string /** World milliseconds since 1970. */; readonly at: number }
  /** The boots so far, the last one last. */
  boots(): readonly { readonly id: string; readonly at: number }[]
  /** Stops, stays off for the machine's time of self-test, and starts again. */
  reboot(options?: { readonly stopsIn?: number; readonly offFor?: number }): void
  /** Power off, at once or in a while; without `offFor` it stays off. */
  off(options?: { readonly stopsIn?: number; readonly offFor?: number }): void
  on(): void
  /** Whether it has current: its management board says so, whatever its operating system does. */
  current(): boolean
  /** Cuts the current and gives it back, as a management board does: nothing is stopped first. One without current stays so. */
  cycle(): boolean
  /** How the machine takes a word to stop or to start; as machines do, unless told. */
  readonly habits: Habits
  onOff(happens: () => void): void
  onBoot(happens: () => void): void
}

export interface Habits {
  /** How many commands to stop it still takes without doing anything about them. */
  refuses: number
  /** From the last process until the operating system runs again, in milliseconds. */
  offFor: number
  /** Whether it ever comes back from a reboot. */
  returns: boolean
  /** Whether it hangs on its way up until its current is cut. */
  hangs: boolean
}

/** From the command to the last process, and from there until the operating system runs again; milliseconds. */
const stopsAfter = 4_000
const offTime = 110_000

interface PowerOptions {
  readonly clock: Clock
  readonly random: Random
  readonly bootedAt: number
  readonly changed: () => void
}

export function createPower({ clock, random, bootedAt, changed }: PowerOptions): Power {
  const boots = [{ id: random.uuid(), at: bootedAt }]
  const whenOff: (() => void)[] = []
  const whenBooted: (() => void)[] = []
  const habits: Habits = { refuses: 0, offFor: offTime, returns: true, hangs: false }
  let state: ReturnType<Power['state']> = 'on'
  let current = true
  let callOff = () => {}

  function off({ stopsIn = stopsAfter, offFor }: { readonly stopsIn?: number; readonly offFor?: number } = {}): void {
    if (state !== 'on') return
    if (habits.refuses > 0) {
      habits.refuses -= 1
      return
    }
    state = 'stopping'
    changed()
    callOff = clock.after(stopsIn, () => {
      current = offFor !== undefined
      stopped()
      if (offFor !== undefined) startsIn(offFor)
    })
  }

  function stopped(): void {
    state = 'off'
    for (const happens of whenOff) happens()
    changed()
  }

  function startsIn(ms: number): void {
    if (habits.returns && !habits.hangs) callOff = clock.after(ms, on)
  }

  function cycle(): boolean {
    if (!current) return false
    // whatever it was about to do
    callOff()
    habits.hangs = false
    if (state !== 'off') stopped()
    startsIn(habits.offFor)
    return true
  }

  function on(): void {
    if (state === 'on') return
    state = 'on'
    current = true
    boots.push({ id: random.uuid(), at: clock.now() })
    for (const happens of whenBooted) happens()
    changed()
  }

  return {
    state: () => state,
    boot: () => boots.at(-1) ?? { id: '', at: bootedAt },
    boots: () => boots,
    reboot: (options = {}) => off({ offFor: habits.offFor, ...options }),
    habits,
    off,
    on,
    current: () => current,
    cycle,
    onOff: (happens) => void whenOff.push(happens),
    onBoot: (happens) => void whenBooted.push(happens),
  }
}
