import type { Disk, Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { programFor } from '../shell/resolve.ts'
import { destroy, markOut, safeToDestroy } from './changes.ts'
import type { Ceph, Osd } from './model.ts'
import { occupy } from './occupy.ts'
import { pgStates } from './pg-states.ts'
import { callTechnician } from './technician.ts'

/** Which disks become OSDs: a service of cephadm, as `ceph orch ls osd --export` prints it. */
export interface Specification {
  readonly service_type: 'osd'
  readonly service_id: string
  readonly service_name: string
  readonly placement: { readonly host_pattern?: string; readonly hosts?: readonly string[] }
  readonly unmanaged?: boolean
  readonly spec: {
    readonly data_devices?: {
      readonly all?: boolean
      readonly rotational?: boolean | number
      readonly paths?: readonly string[]
    }
    readonly encrypted?: boolean
  }
}

/** An OSD that cephadm was told to remove. */
interface Removal {
  readonly replace: boolean
  readonly since: number
  draining: boolean
  drainedAt: number | undefined
}

/**
 * The orchestrator of a cluster that cephadm made.
 *
 * 1. It acts in turns: one soon after it was told something, and one each minute while an OSD is to be removed.
 * 2. An OSD is removed when no placement group is mapped to it and it is safe to destroy: its daemon ends, and with
 *    `--replace` it is destroyed by cephadm itself, without another question.
 * 3. A disk that a managed specification takes becomes an OSD by itself, under a number that waits on its host.
 */
export interface Cephadm {
  readonly specs: Map<string, Specification>
  readonly removals: Map<number, Removal>
  /** The services whose preview has been asked for: the first answer is that it is being made. */
  readonly previewed: Set<string>
  /** The service an OSD belongs to: `osd` alone where somebody has made it by hand. */
  readonly services: Map<number, string>
  /** It will take a turn soon. */
  wake(): void
}

export const everyDisk: Specification = {
  service_type: 'osd',
  service_id: 'all-available-devices',
  service_name: 'osd.all-available-devices',
  placement: { host_pattern: '*' },
  spec: { data_devices: { all: true } },
}

/** Milliseconds until it acts on what it was told, and between its turns. */
const soon = 5_000
const turnTime = 60_000

export function createCephadm(ceph: Ceph): Cephadm {
  let planned = false
  const plan = (ms: number) => {
    const clock = ceph.machine(ceph.hosts[0] ?? '')?.clock
    if (planned || !clock) return
    planned = true
    clock.after(ms, () => {
      planned = false
      if (takeTurn(ceph, cephadm)) plan(turnTime)
    })
  }
  const cephadm: Cephadm = {
    specs: new Map([[everyDisk.service_name, everyDisk]]),
    removals: new Map(),
    previewed: new Set(),
    services: new Map([...ceph.osds.keys()].map((id) => [id, everyDisk.service_name])),
    wake: () => plan(soon),
  }
  return cephadm
}

/** Whether something is left to be done. */
function takeTurn(ceph: Ceph, cephadm: Cephadm): boolean {
  const now = ceph.settle()
  for (const [id, removal] of cephadm.removals) {
    const osd = ceph.osds.get(id)
    if (!osd?.exists) cephadm.removals.delete(id)
    else if (takeOut(ceph, osd, removal, now)) cephadm.removals.delete(id)
  }
  for (const spec of cephadm.specs.values()) {
    if (spec.unmanaged) continue
    for (const { machine, disk } of wanted(ceph, spec)) make(ceph, cephadm, { machine, disk, spec })
  }
  ceph.settle()
  return cephadm.removals.size > 0
}

/** One turn with an OSD that is to be removed; whether it is done. */
function takeOut(ceph: Ceph, osd: Osd, removal: Removal, now: number): boolean {
  const machine = ceph.machine(osd.host)
  if (!removal.draining) {
    removal.draining = true
    const { effect } = markOut(ceph, osd, now)
    if (effect !== undefined) ceph.effect('host.cephadm', effect)
  }
  if (mapped(ceph, osd.id) > 0) return false
  removal.drainedAt ??= now
  if (safeToDestroy(ceph, [osd.id], false).code !== 0) return false
  const unit = machine?.units.find(ceph.unitOf('osd', osd.id))
  if (unit) unit.enabled = false
  if (unit && machine && machine.units.stop(unit.name) > 0) return false
  const { disk } = osd
  const { code, effect } = destroy(ceph, osd, true, removal.replace ? 'destroy' : 'purge', now)
  if (code !== 0) return false
  if (effect !== undefined) ceph.effect('host.cephadm', effect)
  if (disk !== undefined) callTechnician(ceph, osd, disk)
  return true
}

/** The placement groups it still serves: those whose data has not arrived elsewhere too. */
export const mapped = (ceph: Ceph, id: number): number =>
  pgStates(ceph).filter(({ acting }) => acting.includes(id)).length

const waitsFor = (ceph: Ceph, host: string): Osd | undefined =>
  [...ceph.osds.values()].find((osd) => osd.host === host && osd.exists && osd.destroyed)

interface Making {
  readonly machine: Machine
  readonly disk: Disk
  readonly spec: Specification
}

/** Makes an OSD of a disk, under the number that waits on its host; a disk without one is left alone. */
export function make(ceph: Ceph, cephadm: Cephadm, { machine, disk, spec }: Making): Osd | undefined {
  const osd = waitsFor(ceph, machine.name)
  if (!osd) return undefined
  occupy(machine, ceph, osd, disk, { encrypted: spec.spec.encrypted === true })
  cephadm.services.set(osd.id, spec.service_name)
  ceph.effect('host.cephadm.create', `${machine.name}:/dev/${disk.name}`, { osd: osd.id, serial: disk.serial })
  const unit = machine.units.find(ceph.unitOf('osd', osd.id))
  if (unit) unit.enabled = true
  machine.units.start(ceph.unitOf('osd', osd.id))
  return osd
}

/** Nothing is on it: neither a file system, nor partitions, nor an OSD. */
export const available = (disk: Disk): boolean =>
  disk.signature === undefined && disk.parts.length === 0 && !disk.broken

/** The disks that a specification takes, on all hosts. */
export function wanted(ceph: Ceph, spec: Specification): Making[] {
  const { placement } = spec
  const { all, rotational, paths } = spec.spec.data_devices ?? {}
  const pattern = new RegExp(`^${(placement.host_pattern ?? '').replaceAll('*', '.*')}$`)
  return ceph.hosts.flatMap((name) => {
    const machine = ceph.machine(name)
    if (!machine || !(placement.hosts?.includes(name) ?? pattern.test(name))) return []
    return machine.disks
      .filter(
        (disk) =>
          available(disk) &&
          (all === true ||
            paths?.includes(`/dev/${disk.name}`) === true ||
            (rotational !== undefined && Boolean(rotational) === disk.rotational)),
      )
      .map((disk) => ({ machine, disk, spec }))
  })
}

/** `cephadm shell -- …` and `cephadm ceph-volume -- …`: what is in the containers and not on the host. */
export function cephadmProgram(machine: Machine, inside: ReadonlyMap<string, Program>): Program {
  return async (me, args) => {
    const [verb = '', ...rest] = args
    const inner = rest[0] === '--' ? rest.slice(1) : rest
    if (me.user !== 'root') {
      me.err('ERROR: cephadm should be run as root\n')
      return 1
    }
    me.err('Inferring fsid\nUsing recent ceph image quay.io/ceph/ceph:v16\n')
    if (verb === 'ceph-volume') return (await inside.get('ceph-volume')?.(me, inner)) ?? 127
    const [name = 'bash', ...words] = inner
    if (verb === 'shell') return (inside.get(name) ?? programFor(machine, name, me))(me, words)
    me.err(`cephadm: error: argument {shell,ceph-volume}: invalid choice: '${verb}'\n`)
    return 2
  }
}
