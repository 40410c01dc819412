import type { Clock } from '../../clock.ts'
import { uuidOf } from '../../random.ts'
import type { Files } from './files.ts'
import type { Log } from './log.ts'
import type { Power } from './power.ts'
import type { ProcessTable } from './process.ts'

/** Why a start does not work. One that aborts ends by a signal, so that it is tried again when the unit says so. */
export interface Refusal {
  readonly reason: string
  readonly aborts?: boolean
}

/** What a unit file says. */
export interface UnitKind {
  /** With its suffix: `mariadb.service`. */
  readonly name: string
  readonly description: string
  readonly command: string
  readonly user?: string
  /** Milliseconds until it is ready. */
  readonly startsIn?: number | (() => number)
  readonly enabled?: boolean
  readonly openFiles?: number
  /** Started again after an abnormal end. */
  readonly restarts?: boolean
  /** Starts and is done: active, with no process. */
  readonly oneshot?: boolean
  /** Looked at in each start; a reason refuses it, and stands in the journal. */
  readonly refuses?: () => Refusal | undefined
  readonly starting?: () => void
  readonly started?: () => void
  /** The file its standard error goes to; to the journal, when there is none. */
  readonly errorLog?: () => string | undefined
  /** How things stood, for the log of effects, whenever somebody starts, stops or restarts it. */
  readonly standing?: () => unknown
}

export interface Unit {
  readonly kind: UnitKind
  readonly name: string
  enabled: boolean
  active: 'active' | 'inactive' | 'failed' | 'activating' | 'deactivating'
  sub: string
  result: 'success' | 'exit-code' | 'signal' | 'core-dump'
  exitStatus: number
  /** World milliseconds since 1970: when the present state began. */
  since: number
  stoppedAt: number | undefined
  startedAt: number | undefined
  mainPid: number
  restartCount: number
  /** Another one for each start of it, as systemd tells them apart. */
  invocation: string
  /** Limits and drop-ins as they were when systemd last read them. */
  loaded: { readonly dropIns: readonly string[]; readonly text: string }
  /** What runs it instead of systemd: it has no unit then, or one that does nothing. */
  keptBy?: 'container' | 'pacemaker'
  /** No process of it may open more files than the machine allows, whatever the unit says. */
  filesAllowed: number
}

/** The service manager of one machine. Names come with or without `.service`. */
export interface Units {
  list(): readonly Unit[]
  find(name: string): Unit | undefined
  /** One more, as if it had been there since the boot. */
  add(kind: UnitKind): void
  /** Begins to start; how long it will take, in milliseconds. */
  start(name: string): number
  stop(name: string): number
  restart(name: string): number
  /** It fails now, and stays failed until somebody starts it. */
  fail(name: string): void
  /** Its main process got a signal from outside. */
  killed(name: string, signal: string): void
  reload(): void
  /** The drop-in files there are on disk, and their text. */
  dropIns(unit: Unit): Unit['loaded']
  boot(): void
  powerOff(): void
  /** From here on it cannot start, and says why; without a reason it can again. */
  hold(name: string, reason: string | undefined): void
  /** From here on it takes so many milliseconds more to start. */
  delay(name: string, by: number): void
  /** And so many more to stop. */
  delayStop(name: string, by: number): void
}

interface UnitsOptions {
  readonly clock: Clock
  readonly journal: Log
  readonly processes: ProcessTable
  readonly power: Power
  readonly files: Files
  readonly changed: () => void
}

/** Milliseconds from a boot to the first units. */
const bootTime = 8_000
const stopTime = 1_500
const restartDelay = 5_000
/** A start that takes longer is ended. */
const startLimit = 900_000

const startTime = ({ startsIn = 300 }: UnitKind): number => (typeof startsIn === 'number' ? startsIn : startsIn())

export function createUnits(kinds: readonly UnitKind[], options: UnitsOptions): Units {
  const { clock, journal, processes, power, files, changed } = options
  const held = new Map<string, string>()
  const delays = new Map<string, number>()
  const stopDelays = new Map<string, number>()
  const takes = (kind: UnitKind) => startTime(kind) + (delays.get(kind.name) ?? 0)
  const stopTakes = ({ name }: Unit) => stopTime + (stopDelays.get(name) ?? 0)
  let invocations = 0
  const units = new Map(kinds.map((kind) => [kind.name, freshUnit(kind)]))
  let planned: (() => void)[] = []

  function newInvocation({ name }: UnitKind): string {
    invocations += 1
    return uuidOf(`invocation/${power.boot().id}/${name}/${invocations}`).replaceAll('-', '')
  }

  function freshUnit(kind: UnitKind): Unit {
    const since = power.boot().at + bootTime + (typeof kind.startsIn === 'number' ? kind.startsIn : 300)
    return {
      kind,
      name: kind.name,
      enabled: kind.enabled ?? true,
      active: kind.enabled === false ? 'inactive' : 'active',
      sub: kind.enabled === false ? 'dead' : kind.oneshot ? 'exited' : 'running',
      result: 'success',
      exitStatus: 0,
      since,
      stoppedAt: undefined,
      startedAt: kind.enabled === false ? undefined : since,
      mainPid: kind.oneshot || kind.enabled === false ? 0 : processes.claimPid(),
      restartCount: 0,
      invocation: newInvocation(kind),
      loaded: { dropIns: [], text: '' },
      filesAllowed: Number.POSITIVE_INFINITY,
    }
  }

  const find = (name: string) => units.get(name) ?? units.get(`${name}.service`)

  function say(unit: Unit, message: string, { priority = 6, own = false } = {}): void {
    journal.add({
      at: clock.now(),
      priority,
      message,
      unit: unit.name,
      identifier: own ? (unit.kind.command.split(' ')[0]?.replace(/^.*\//, '') ?? unit.name) : 'systemd',
      pid: own ? unit.mainPid : 1,
      bootId: power.boot().id,
    })
  }

  function become(unit: Unit, active: Unit['active'], sub: string): void {
    const ran = unit.active === 'active'
    if (ran && active !== 'active') unit.stoppedAt = clock.now()
    Object.assign(unit, { active, sub, since: clock.now() })
    if (active === 'active' && !ran) unit.startedAt = clock.now()
    changed()
  }

  function later(ms: number, happens: () => void): void {
    planned.push(clock.after(ms, happens))
  }

  function start(name: string): number {
    const unit = find(name)
    if (!unit || unit.active === 'active' || unit.active === 'activating') return 0
    const { kind } = unit
    if (unit.active === 'deactivating') {
      // its stop is over first
      const left = Math.max(0, unit.since + stopTakes(unit) - clock.now()) + 1
      later(left, () => start(name))
      return left + takes(kind)
    }
    say(unit, `Starting ${unit.name} - ${kind.description}...`)
    become(unit, 'activating', 'start')
    unit.invocation = newInvocation(kind)
    unit.mainPid = kind.oneshot ? 0 : processes.claimPid()
    kind.starting?.()
    const lasts = Math.min(takes(kind), startLimit)
    const since = unit.since
    later(lasts, () => {
      if (unit.active !== 'activating' || unit.since !== since) return
      if (lasts === startLimit) return failed(unit, 'start operation timed out')
      const reason = held.get(unit.name)
      if (reason !== undefined) return failed(unit, reason)
      const refusal = kind.refuses?.()
      if (refusal?.aborts) return aborted(unit, refusal.reason)
      if (refusal) return failed(unit, refusal.reason)
      unit.result = 'success'
      unit.exitStatus = 0
      become(unit, 'active', kind.oneshot ? 'exited' : 'running')
      say(unit, `Started ${unit.name} - ${kind.description}.`)
      kind.started?.()
    })
    return lasts
  }

  function failed(unit: Unit, reason: string): void {
    say(unit, reason, { priority: 3, own: true })
    say(unit, `${unit.name}: Main process exited, code=exited, status=1/FAILURE`, { priority: 5 })
    say(unit, `${unit.name}: Failed with result 'exit-code'.`, { priority: 4 })
    Object.assign(unit, { result: 'exit-code', exitStatus: 1, mainPid: 0 })
    become(unit, 'failed', 'failed')
  }

  /** Ended by a signal of its own making: a unit that restarts tries again, for ever, and never reads `failed`. */
  function aborted(unit: Unit, reason: string): void {
    say(unit, reason, { priority: 3, own: true })
    say(unit, `${unit.name}: Main process exited, code=killed, status=6/ABRT`, { priority: 5 })
    say(unit, `${unit.name}: Failed with result 'signal'.`, { priority: 4 })
    Object.assign(unit, { result: 'signal', exitStatus: 6, mainPid: 0 })
    if (unit.kind.restarts) tryAgain(unit)
    else become(unit, 'failed', 'failed')
  }

  function tryAgain(unit: Unit): void {
    become(unit, 'activating', 'auto-restart')
    later(restartDelay, () => {
      if (unit.sub !== 'auto-restart') return
      unit.restartCount += 1
      unit.active = 'inactive'
      start(unit.name)
    })
  }

  function stop(name: string): number {
    const unit = find(name)
    if (!unit || unit.active === 'inactive' || unit.active === 'failed') return 0
    if (unit.sub === 'auto-restart') {
      become(unit, 'inactive', 'dead')
      return 0
    }
    say(unit, `Stopping ${unit.name} - ${unit.kind.description}...`)
    become(unit, 'deactivating', 'stop-sigterm')
    const lasts = stopTakes(unit)
    later(lasts, () => {
      if (unit.active !== 'deactivating') return
      unit.mainPid = 0
      become(unit, 'inactive', 'dead')
      say(unit, `Stopped ${unit.name} - ${unit.kind.description}.`)
    })
    return lasts
  }

  return {
    list: () => [...units.values()],
    find,
    add(kind) {
      units.set(kind.name, freshUnit(kind))
      changed()
    },
    start,
    stop,
    restart(name) {
      const stops = stop(name)
      if (stops === 0) return start(name)
      later(stops, () => start(name))
      const unit = find(name)
      return stops + (unit ? takes(unit.kind) : 300)
    },
    fail(name) {
      const unit = find(name)
      if (unit) failed(unit, `${unit.kind.description}: cannot continue`)
    },
    killed(name, signal) {
      const unit = find(name)
      if (unit?.active !== 'active') return
      say(
        unit,
        `${unit.name}: Main process exited, code=killed, status=${signal === 'KILL' ? '9/KILL' : `15/${signal}`}`,
        {
          priority: 5,
        },
      )
      unit.mainPid = 0
      const clean = signal === 'TERM' || signal === 'INT' || signal === 'HUP'
      unit.result = clean ? 'success' : 'signal'
      if (clean || !unit.kind.restarts) return become(unit, clean ? 'inactive' : 'failed', clean ? 'dead' : 'failed')
      say(unit, `${unit.name}: Failed with result 'signal'.`, { priority: 4 })
      tryAgain(unit)
    },
    reload() {
      for (const unit of units.values()) unit.loaded = dropInsOf(unit)
    },
    dropIns: dropInsOf,
    boot() {
      for (const unit of units.values()) {
        unit.loaded = dropInsOf(unit)
        unit.restartCount = 0
        if (!unit.enabled) continue
        const reason = held.get(unit.name)
        become(unit, 'activating', 'start')
        unit.invocation = newInvocation(unit.kind)
        later(bootTime + takes(unit.kind), () => {
          if (unit.active !== 'activating') return
          if (reason !== undefined) return failed(unit, reason)
          unit.mainPid = unit.kind.oneshot ? 0 : processes.claimPid()
          become(unit, 'active', unit.kind.oneshot ? 'exited' : 'running')
          say(unit, `Started ${unit.name} - ${unit.kind.description}.`)
          unit.kind.started?.()
        })
      }
    },
    powerOff() {
      for (const callOff of planned) callOff()
      planned = []
      for (const unit of units.values()) {
        unit.mainPid = 0
        become(unit, 'inactive', 'dead')
      }
    },
    hold(name, reason) {
      const unit = find(name)
      if (!unit) return
      if (reason === undefined) held.delete(unit.name)
      else held.set(unit.name, reason)
    },
    delay(name, by) {
      const unit = find(name)
      if (unit) delays.set(unit.name, by)
    },
    delayStop(name, by) {
      const unit = find(name)
      if (unit) stopDelays.set(unit.name, by)
    },
  }

  function dropInsOf({ name }: Unit): Unit['loaded'] {
    const folders = [`/etc/systemd/system/${name}.d`, `/run/systemd/system/${name}.d`]
    const paths = folders.flatMap((folder) =>
      files.find(folder)?.kind === 'folder'
        ? files
            .list(folder)
            .filter((entry) => entry.endsWith('.conf'))
            .map((entry) => `${folder}/${entry}`)
        : [],
    )
    return { dropIns: paths, text: paths.map((path) => files.text(path)).join('\n') }
  }
}
