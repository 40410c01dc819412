import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import type { Unit } from '../machine/units.ts'

/** A unit's name with its suffix. */
export const suffixed = (name: string): string =>
  /\.(service|timer|target|socket|mount)$/.test(name) ? name : `${name}.service`

/** The verbs that change something: each is recorded, and refused to all but root. */
export async function change(
  machine: Machine,
  me: Process,
  verb: string,
  names: readonly string[],
  flags: ReadonlyMap<string, string | true>,
): Promise<number> {
  const { units } = machine
  if (verb === 'daemon-reload') {
    if (me.user !== 'root') return refused(me, 'Failed to reload daemon: Interactive authentication required.')
    units.reload()
    me.effect('host.systemd.daemon_reload', machine.name)
    return 0
  }
  if (verb === 'reset-failed' && names.length === 0) {
    for (const unit of units.list()) resetFailed(unit, machine)
    return 0
  }
  let status = 0
  for (const name of names) {
    const unit = units.find(name)
    if (!unit) {
      const told = suffixed(name)
      if (/able$|mask$/.test(verb)) status = refused(me, `Failed to ${verb} unit: Unit file ${told} does not exist.`)
      else if (verb === 'reset-failed')
        status = refused(me, `Failed to reset failed state of unit ${told}: Unit ${told} not loaded.`)
      else status = refused(me, `Failed to ${verb} ${told}: Unit ${told} not found.`, 5)
      continue
    }
    if (me.user !== 'root') {
      return refused(
        me,
        `Failed to ${verb} ${unit.name}: Interactive authentication required.\nSee system logs and 'systemctl status ${unit.name}' for details.`,
        4,
      )
    }
    const standing = /start$|^stop$/.test(verb) ? unit.kind.standing?.() : undefined
    me.effect(`host.unit.${verb.replaceAll('-', '_')}`, `${machine.name}:${unit.name}`, standing)
    if (verb === 'reset-failed') resetFailed(unit, machine)
    else if (verb === 'enable' || verb === 'disable') {
      enable(unit, me, verb)
      if (flags.has('now'))
        status = (await act(machine, me, verb === 'enable' ? 'start' : 'stop', unit, flags)) || status
    } else if (verb === 'kill')
      units.killed(unit.name, String(flags.get('s') ?? flags.get('signal') ?? 'TERM').replace(/^SIG/, ''))
    else status = (await act(machine, me, verb, unit, flags)) || status
  }
  return status
}

function refused(me: Process, message: string, code = 1): number {
  me.err(`${message}\n`)
  return code
}

function resetFailed(unit: Unit, { units }: Machine): void {
  if (unit.active === 'failed') Object.assign(unit, { active: 'inactive', sub: 'dead', result: 'success' })
  if (units.find(unit.name)) unit.restartCount = 0
}

function enable(unit: Unit, me: Process, verb: 'enable' | 'disable'): void {
  const link = `/etc/systemd/system/multi-user.target.wants/${unit.name}`
  if (unit.enabled !== (verb === 'enable')) {
    me.err(verb === 'enable' ? `Created symlink ${link} → /lib/systemd/system/${unit.name}.\n` : `Removed "${link}".\n`)
  }
  unit.enabled = verb === 'enable'
}

async function act(
  machine: Machine,
  me: Process,
  verb: string,
  unit: Unit,
  flags: ReadonlyMap<string, string | true>,
): Promise<number> {
  const { units } = machine
  const onDisk = units.dropIns(unit)
  if (onDisk.text !== unit.loaded.text) {
    // a drop-in folder that is new is read when the unit is; one that was known before needs a daemon-reload
    if (unit.loaded.dropIns.length === 0) unit.loaded = onDisk
    else {
      me.err(
        `Warning: The unit file, source configuration file or drop-ins of ${unit.name} changed on disk. Run 'systemctl daemon-reload' to reload units.\n`,
      )
    }
  }
  if (verb === 'mask' || verb === 'unmask' || verb === 'reload') return 0
  if (verb === 'try-restart' && unit.active !== 'active') return 0
  const takes =
    verb === 'stop' ? units.stop(unit.name) : verb === 'start' ? units.start(unit.name) : units.restart(unit.name)
  if (flags.has('no-block')) return 0
  await me.sleep(takes + 20)
  // what a start takes is counted from its beginning, which may come late on a busy machine
  while (unit.active === 'deactivating' || (unit.active === 'activating' && unit.sub === 'start')) await me.sleep(100)
  if (verb === 'stop' || unit.active === 'active') return 0
  const why =
    unit.result === 'signal'
      ? 'a fatal signal was delivered to the control process'
      : 'the control process exited with error code'
  me.err(
    `Job for ${unit.name} failed because ${why}.\nSee "systemctl status ${unit.name}" and "journalctl -xeu ${unit.name}" for details.\n`,
  )
  return 1
}
