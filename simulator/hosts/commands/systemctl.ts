import type { Machine } from '../machine/machine.ts'
import { askedFilesOf } from '../machine/proc.ts'
import type { Process, Program } from '../machine/process.ts'
import type { Unit, Units } from '../machine/units.ts'
import { formatTime } from './date.ts'
import { readOptions } from './options.ts'
import { power } from './system.ts'
import { change, suffixed } from './unit-changes.ts'

/** `systemctl`, as systemd 252 answers. */
export function systemctlProgram(whole: Machine): Program {
  return async (me, args) => {
    const machine = asSystemdSees(whole)
    const takes = ['p', 'property', 't', 'type', 'state', 'o', 'output', 'n', 's', 'signal', 'kill-whom', 'H', 'M']
    const { flags, values, rest } = readOptions(args, takes)
    const [verb = 'list-units', ...names] = rest
    const say = (text: string) => me.out(`${text}\n`)
    switch (verb) {
      case 'is-active':
        return each(names, (name) => {
          const active = machine.units.find(name)?.active ?? 'inactive'
          if (!flags.has('q') && !flags.has('quiet')) say(active)
          return active === 'active' ? 0 : 3
        })
      case 'is-failed':
        return each(names, (name) => {
          const active = machine.units.find(name)?.active ?? 'inactive'
          if (!flags.has('q') && !flags.has('quiet')) say(active)
          return active === 'failed' ? 0 : 1
        })
      case 'is-enabled':
        return each(names, (name) => {
          const unit = machine.units.find(name)
          if (!unit) {
            me.err(`Failed to get unit file state for ${suffixed(name)}: No such file or directory\n`)
            return 1
          }
          if (!flags.has('q')) say(unit.enabled ? 'enabled' : 'disabled')
          return unit.enabled ? 0 : 1
        })
      case 'is-system-running': {
        const state = systemState(machine)
        say(state)
        return state === 'running' ? 0 : 1
      }
      case 'show':
        return show(machine, me, names, values, flags.has('value'))
      case 'list-units':
      case 'list-unit-files':
        return list(machine, me, flags, names)
      case 'status':
        return each(names, (name) => status(machine, me, name))
      case 'cat':
        return each(names, (name) => cat(machine, me, name))
      case 'start':
      case 'stop':
      case 'restart':
      case 'try-restart':
      case 'reload':
      case 'reload-or-restart':
      case 'kill':
      case 'reset-failed':
      case 'enable':
      case 'disable':
      case 'mask':
      case 'unmask':
      case 'daemon-reload':
        return change(machine, me, verb, names, flags)
      case 'reboot':
      case 'poweroff':
        return power(machine, me, verb, args)
      case 'halt':
        return power(machine, me, 'poweroff', args)
      default:
        me.err(`Unknown command verb ${verb}.\n`)
        return 1
    }
  }
}

/** What a container holds is none of its units; what Pacemaker runs has one that was never started. */
function asSystemdSees(machine: Machine): Machine {
  const { units } = machine
  if (!units.list().some(({ keptBy }) => keptBy !== undefined)) return machine
  const shown = (unit: Unit | undefined): Unit | undefined => {
    if (unit?.keptBy === 'container') return undefined
    if (unit?.keptBy !== 'pacemaker') return unit
    return { ...unit, enabled: false, active: 'inactive', sub: 'dead', mainPid: 0, startedAt: undefined }
  }
  const seen: Units = {
    ...units,
    find: (name) => shown(units.find(name)),
    list: () => units.list().flatMap((unit) => shown(unit) ?? []),
  }
  return Object.create(machine, { units: { value: seen } })
}

/** 0 as soon as one of them says 0, as `is-active` does. */
function each(names: readonly string[], one: (name: string) => number): number {
  const codes = names.map(one)
  return codes.includes(0) ? 0 : (codes[0] ?? 0)
}

function systemState(machine: Machine): string {
  if (machine.power.state() === 'stopping') return 'stopping'
  const units = machine.units.list()
  // until everything that the boot asked for has started, or has failed to
  const { at: asked } = machine.power.boot()
  if (units.some(({ active, since }) => active === 'activating' && since < asked + 1000)) return 'starting'
  return units.some(({ active }) => active === 'failed') ? 'degraded' : 'running'
}

function show(
  machine: Machine,
  me: Process,
  names: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
  bare: boolean,
): number {
  const wanted = [...(values.get('p') ?? []), ...(values.get('property') ?? [])].flatMap((text) => text.split(','))
  for (const [index, name] of names.entries()) {
    if (index > 0) me.out('\n')
    const properties = propertiesOf(machine, name)
    for (const [key, value] of Object.entries(properties)) {
      if (wanted.length > 0 && !wanted.includes(key)) continue
      me.out(bare ? `${value}\n` : `${key}=${value}\n`)
    }
  }
  return 0
}

/** In systemd's order, which is not the order they are asked for. */
function propertiesOf(machine: Machine, name: string): Record<string, string | number> {
  const unit = machine.units.find(name)
  if (!unit) {
    return {
      Id: suffixed(name),
      LoadState: 'not-found',
      ActiveState: 'inactive',
      SubState: 'dead',
      NRestarts: 0,
      UnitFileState: '',
      NeedDaemonReload: 'no',
      InvocationID: '',
    }
  }
  const stamp = (at: number | undefined) => (at === undefined ? '' : formatTime('%a %Y-%m-%d %H:%M:%S UTC', at))
  const micro = (at: number | undefined) =>
    at === undefined ? 0 : Math.max(0, Math.round((at - machine.power.boot().at) * 1000))
  const onDisk = machine.units.dropIns(unit)
  const changed = onDisk.text !== unit.loaded.text && unit.loaded.dropIns.length > 0
  const limit = askedFilesOf(unit)
  const ended = unit.result === 'exit-code' ? 1 : unit.result === 'signal' ? 2 : 0
  return {
    Type: unit.kind.oneshot ? 'oneshot' : 'notify',
    Restart: unit.kind.restarts ? 'on-failure' : 'no',
    MainPID: unit.mainPid,
    Result: unit.result,
    NRestarts: unit.restartCount,
    ExecMainStartTimestamp: stamp(unit.startedAt),
    ExecMainPID: unit.mainPid,
    ExecMainCode: ended,
    ExecMainStatus: unit.exitStatus,
    LimitNOFILE: limit,
    LimitNOFILESoft: limit,
    User: unit.kind.user ?? '',
    Id: unit.name,
    Names: unit.name,
    Description: unit.kind.description,
    LoadState: 'loaded',
    ActiveState: unit.active,
    SubState: unit.sub,
    FragmentPath: `/lib/systemd/system/${unit.name}`,
    DropInPaths: unit.loaded.dropIns.join(' '),
    UnitFileState: unit.enabled ? 'enabled' : 'disabled',
    UnitFilePreset: 'enabled',
    StateChangeTimestamp: stamp(unit.since),
    ActiveEnterTimestamp: stamp(unit.startedAt),
    ActiveEnterTimestampMonotonic: micro(unit.startedAt),
    InactiveEnterTimestamp: stamp(unit.stoppedAt),
    NeedDaemonReload: changed ? 'yes' : 'no',
    InvocationID: unit.invocation,
  }
}

function list(
  machine: Machine,
  me: Process,
  flags: ReadonlyMap<string, string | true>,
  patterns: readonly string[],
): number {
  const states = flags.has('failed')
    ? ['failed']
    : String(flags.get('state') ?? '')
        .split(',')
        .filter(Boolean)
  const type = flags.get('t') ?? flags.get('type')
  const units = machine.units.list().filter((unit) => {
    if (states.length > 0 && !states.includes(unit.active) && !states.includes(unit.sub)) return false
    if (states.length === 0 && !flags.has('all') && !flags.has('a') && unit.active === 'inactive') return false
    if (type !== undefined && !String(type).split(',').includes('service')) return false
    return patterns.length === 0 || patterns.some((pattern) => matches(pattern, unit.name))
  })
  if ((flags.get('o') ?? flags.get('output')) === 'json') {
    const rows = units.map(({ name, active, sub, kind }) => ({
      unit: name,
      load: 'loaded',
      active,
      sub,
      description: kind.description,
    }))
    me.out(`${JSON.stringify(rows)}\n`)
    return 0
  }
  const legend = !flags.has('no-legend') && flags.get('legend') !== 'false'
  const plain = flags.has('plain')
  const widths = [4, 4, 6, 3].map((least, column) =>
    Math.max(
      legend ? least : 0,
      ...units.map((unit) => [unit.name, 'loaded', unit.active, unit.sub][column]?.length ?? 0),
    ),
  )
  const row = (cells: readonly string[], mark: string) =>
    `${plain ? '' : mark}${cells.map((cell, index) => (index < 4 ? cell.padEnd(widths[index] ?? 0) : cell)).join(' ')}\n`
  if (legend) me.out(row(['UNIT', 'LOAD', 'ACTIVE', 'SUB', 'DESCRIPTION'], '  '))
  for (const { name, active, sub, kind } of units) {
    me.out(row([name, 'loaded', active, sub, kind.description], active === 'failed' ? '● ' : '  '))
  }
  if (!legend) return 0
  if (units.length > 0) {
    me.out(
      '\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n',
    )
  }
  me.out(`${units.length} loaded units listed.\n`)
  return 0
}

function matches(pattern: string, name: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}(\\.service)?$`).test(name)
}

function status(machine: Machine, me: Process, name: string): number {
  const unit = machine.units.find(name)
  if (!unit) {
    me.err(`Unit ${suffixed(name)} could not be found.\n`)
    return 4
  }
  const mark = unit.active === 'failed' ? '×' : unit.active === 'active' ? '●' : '○'
  const since = formatTime('%a %Y-%m-%d %H:%M:%S UTC', unit.since)
  const result =
    unit.active === 'failed' ? ` (Result: ${unit.result})` : unit.active === 'active' ? ` (${unit.sub})` : ''
  me.out(
    `${mark} ${unit.name} - ${unit.kind.description}\n     Loaded: loaded (/lib/systemd/system/${unit.name}; ${unit.enabled ? 'enabled' : 'disabled'}; preset: enabled)\n     Active: ${unit.active}${result || ` (${unit.sub})`} since ${since}; ${ago(machine.now() - unit.since)} ago\n`,
  )
  if (unit.mainPid > 0) {
    me.out(
      `   Main PID: ${unit.mainPid} (${(unit.kind.command.split(' ')[0] ?? '').replace(/^.*\//, '').slice(0, 15)})\n`,
    )
  }
  return unit.active === 'active' ? 0 : 3
}

function ago(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}min ${seconds % 60}s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}min`
  const days = Math.floor(seconds / 86_400)
  return `${days} day${days === 1 ? '' : 's'}`
}

function cat(machine: Machine, me: Process, name: string): number {
  const unit = machine.units.find(name)
  if (!unit) {
    me.err(`No files found for ${suffixed(name)}.\n`)
    return 1
  }
  const { kind } = unit
  me.out(
    `# /lib/systemd/system/${unit.name}\n[Unit]\nDescription=${kind.description}\n\n[Service]\nExecStart=${kind.command}\n${kind.user ? `User=${kind.user}\n` : ''}${kind.openFiles ? `LimitNOFILE=${kind.openFiles}\n` : ''}${kind.restarts ? 'Restart=on-failure\n' : ''}\n[Install]\nWantedBy=multi-user.target\n`,
  )
  for (const path of machine.units.dropIns(unit).dropIns) me.out(`\n# ${path}\n${machine.files.text(path)}`)
  return 0
}
