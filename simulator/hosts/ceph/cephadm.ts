import { parseAllDocuments, stringify } from 'yaml'
import type { Disk, Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { programFor } from '../shell/resolve.ts'
import { destroy, markIn, markOut, type Outcome, safeToDestroy } from './changes.ts'
import { pgStates } from './health.ts'
import type { Ceph, Osd } from './model.ts'
import { callTechnician, occupy } from './volume.ts'

/** Which disks become OSDs: a service of cephadm, as `ceph orch ls osd --export` prints it. */
interface Specification {
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

const everyDisk: Specification = {
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
const mapped = (ceph: Ceph, id: number): number => pgStates(ceph).filter(({ acting }) => acting.includes(id)).length

const waitsFor = (ceph: Ceph, host: string): Osd | undefined =>
  [...ceph.osds.values()].find((osd) => osd.host === host && osd.exists && osd.destroyed)

interface Making {
  readonly machine: Machine
  readonly disk: Disk
  readonly spec: Specification
}

/** Makes an OSD of a disk, under the number that waits on its host; a disk without one is left alone. */
function make(ceph: Ceph, cephadm: Cephadm, { machine, disk, spec }: Making): Osd | undefined {
  const osd = waitsFor(ceph, machine.name)
  if (!osd) return undefined
  occupy(machine, ceph, osd, disk)
  Object.assign(osd, { encrypted: spec.spec.encrypted === true })
  cephadm.services.set(osd.id, spec.service_name)
  ceph.effect('host.cephadm.create', `${machine.name}:/dev/${disk.name}`, { osd: osd.id, serial: disk.serial })
  const unit = machine.units.find(ceph.unitOf('osd', osd.id))
  if (unit) unit.enabled = true
  machine.units.start(ceph.unitOf('osd', osd.id))
  return osd
}

/** Nothing is on it: neither a file system, nor partitions, nor an OSD. */
const available = (disk: Disk): boolean => disk.signature === undefined && disk.parts.length === 0 && !disk.broken

/** The disks that a specification takes, on all hosts. */
function wanted(ceph: Ceph, spec: Specification): Making[] {
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

/** The options of `ceph orch` that take a value. */
export const orchOptions = ['daemon_type', 'daemon_id', 'service_name', 'service_type', 'hostname'] as const

interface Asked {
  readonly flags: ReadonlyMap<string, string | true>
  readonly format: string
  /** What came on standard input, where it was asked for. */
  readonly given: string | undefined
}

/** `ceph orch …`, as the cephadm of 16.2 answers. What cannot be found it tells with exit code 0. */
export function orchestrate(ceph: Ceph, words: readonly string[], asked: Asked): Outcome {
  const { cephadm } = ceph
  if (!cephadm) {
    return {
      code: 2,
      stderr: 'Error ENOENT: No orchestrator configured (try `ceph orch set backend`)',
    }
  }
  const [verb, what, ...rest] = words
  if (verb === 'status')
    return told({ available: true, backend: 'cephadm', paused: false }, 'Backend: cephadm\nAvailable: Yes\nPaused: No')
  if (verb === 'ps') return ps(ceph, cephadm, asked)
  if (verb === 'ls') return services(cephadm, [what, ...rest], asked)
  if (verb === 'device' && what === 'ls') return devices(ceph, rest)
  if (verb === 'osd' && what === 'rm') return removal(ceph, cephadm, rest, asked)
  if (verb === 'apply') return apply(ceph, cephadm, asked)
  if (verb === 'daemon' && what === 'add' && rest[0] === 'osd') return add(ceph, cephadm, rest[1] ?? '')
  return { code: 22, stderr: 'no valid command found; 10 closest matches:\nError EINVAL: invalid command' }
}

const told = (json: unknown, stdout: string): Outcome => ({ code: 0, json, stdout })

function ps(ceph: Ceph, cephadm: Cephadm, { flags }: Asked): Outcome {
  const osds = [...ceph.osds.values()].filter(
    ({ id, exists, destroyed }) =>
      exists && !destroyed && (!flags.has('daemon_id') || flags.get('daemon_id') === String(id)),
  )
  const json = osds.map((osd) => ({
    daemon_type: 'osd',
    daemon_id: String(osd.id),
    daemon_name: `osd.${osd.id}`,
    hostname: osd.host,
    service_name: cephadm.services.get(osd.id) ?? 'osd',
    status: osd.up ? 1 : 0,
    status_desc: osd.up ? 'running' : 'stopped',
    version: '16.2.15',
  }))
  const lines = json.map(({ daemon_name, hostname, status_desc }) => `${daemon_name}  ${hostname}  ${status_desc}`)
  return told(json, lines.length === 0 ? 'No daemons reported' : ['NAME  HOST  STATUS', ...lines].join('\n'))
}

function services(cephadm: Cephadm, [type, name]: readonly (string | undefined)[], { flags, format }: Asked): Outcome {
  const found = [...cephadm.specs.values()].filter(
    ({ service_type, service_name }) =>
      (type === undefined || type === service_type) && (name === undefined || name === service_name),
  )
  if (found.length === 0) return { code: 0, stdout: 'No services reported' }
  // without a format what is exported is YAML
  if (flags.has('export') && !format.startsWith('json')) {
    return { code: 0, stdout: found.map((spec) => stringify(spec)).join('---\n') }
  }
  const lines = found.map((spec) => `${spec.service_name}  ${spec.unmanaged ? '<unmanaged>' : '*'}`)
  return told(found, ['NAME  PLACEMENT', ...lines].join('\n'))
}

function devices(ceph: Ceph, hosts: readonly string[]): Outcome {
  const json = ceph.hosts
    .filter((name) => hosts.length === 0 || hosts.includes(name))
    .map((name) => ({
      name,
      addr: ceph.machine(name)?.address,
      labels: [],
      devices: (ceph.machine(name)?.disks ?? []).map((disk) => ({
        path: `/dev/${disk.name}`,
        device_id: `${disk.model.replaceAll(' ', '_')}_${disk.serial}`,
        human_readable_type: disk.rotational ? 'hdd' : 'ssd',
        available: available(disk),
        rejected_reasons: available(disk) ? [] : ['LVM detected', 'locked'],
        sys_api: { size: disk.bytes, rotational: disk.rotational ? '1' : '0' },
      })),
    }))
  const lines = json.flatMap(({ name, devices }) =>
    devices.map((each) => `${name}  ${each.path}  ${each.human_readable_type}  ${each.available ? 'Yes' : 'No'}`),
  )
  return told(json, ['HOST  PATH  TYPE  AVAILABLE', ...lines].join('\n'))
}

function removal(ceph: Ceph, cephadm: Cephadm, [first, ...rest]: readonly string[], { flags }: Asked): Outcome {
  const now = ceph.settle()
  if (first === 'status') return removalStatus(ceph, cephadm)
  if (first === 'stop') {
    const id = Number(rest[0])
    const osd = ceph.osds.get(id)
    // it is told, and it is no error
    if (!osd?.exists || !cephadm.removals.delete(id)) {
      return { code: 0, stdout: `Unable to find OSD in the queue: ${rest[0]}` }
    }
    markIn(ceph, osd, now)
    return { code: 0, stdout: 'Stopped OSD(s) removal', effect: `orch osd rm stop ${id}` }
  }
  const id = Number(first)
  const osd = ceph.osds.get(id)
  if (!osd?.exists || osd.destroyed) return { code: 0, stdout: `Unable to find OSDs: ['${first}']` }
  const replace = flags.has('replace')
  cephadm.removals.set(id, cephadm.removals.get(id) ?? { replace, since: now, draining: false, drainedAt: undefined })
  cephadm.wake()
  return {
    code: 0,
    stdout: 'Scheduled OSD(s) for removal',
    effect: `orch osd rm ${id}${replace ? ' --replace' : ''}`,
  }
}

function removalStatus(ceph: Ceph, { removals }: Cephadm): Outcome {
  // whatever format was asked for
  if (removals.size === 0) return { code: 0, stdout: 'No OSD remove/replace operations reported' }
  const stamp = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString())
  const json = [...removals].map(([id, { replace, since, draining, drainedAt }]) => ({
    osd_id: id,
    started: true,
    draining: draining && drainedAt === undefined,
    stopped: false,
    replace,
    force: false,
    zap: false,
    hostname: ceph.osds.get(id)?.host,
    drain_started_at: draining ? stamp(since) : null,
    drain_stopped_at: null,
    drain_done_at: stamp(drainedAt),
    process_started_at: stamp(since),
  }))
  const lines = json.map(({ osd_id, hostname, draining }) => {
    const state = draining ? 'draining' : 'done, waiting for purge'
    return `${osd_id}  ${hostname}  ${state}  ${mapped(ceph, osd_id)}`
  })
  return told(json, ['OSD  HOST  STATE  PGS', ...lines].join('\n'))
}

function apply(ceph: Ceph, cephadm: Cephadm, { flags, given }: Asked): Outcome {
  const read = parseAllDocuments(given ?? '')
  const specs = (Array.isArray(read) ? read : []).map((each) => each.toJS() as Partial<Specification> | null)
  const good = specs.filter((spec): spec is Specification => spec?.service_type === 'osd' && !!spec.service_id)
  if (good.length === 0 || good.length < specs.length) {
    return { code: 22, stderr: "Error EINVAL: Failed to validate Service: 'service_id' or 'service_type' is missing" }
  }
  const named = good.map((spec) => ({ ...spec, service_name: `osd.${spec.service_id}` }))
  if (flags.has('dry-run')) {
    const warning =
      'WARNING! Dry-Runs are snapshots of a certain point in time and are bound \nto the current inventory setup.'
    const json = [
      { warning },
      ...named.map((spec) => ({
        service_name: spec.service_name,
        service_type: 'osd',
        data: preview(ceph, cephadm, spec),
      })),
    ]
    return told(json, JSON.stringify(json, null, 4))
  }
  for (const spec of named) {
    cephadm.specs.set(spec.service_name, spec)
    cephadm.previewed.delete(spec.service_name)
  }
  cephadm.wake()
  return {
    code: 0,
    stdout: named.map(({ service_name }) => `Scheduled ${service_name} update...`).join('\n'),
    effect: `orch apply ${named.map((spec) => `${spec.service_name} ${spec.unmanaged ? 'unmanaged' : 'managed'}`).join(', ')}`,
  }
}

function preview(ceph: Ceph, cephadm: Cephadm, spec: Specification): object {
  if (!cephadm.previewed.has(spec.service_name)) {
    cephadm.previewed.add(spec.service_name)
    const message = 'Preview data is being generated.. Please re-run this command in a bit.'
    return { 'n/a': [{ error: true, message }] }
  }
  const found = wanted(ceph, spec)
  const report = (host: string) =>
    found
      .filter(({ machine }) => machine.name === host)
      .map(({ disk }) => ({ data: `/dev/${disk.name}`, data_size: '3.64 TB', encryption: 'None' }))
  return Object.fromEntries(
    ceph.hosts.map((host) => {
      const data = report(host)
      return [host, data.length === 0 ? [] : [{ data, osdspec: spec.service_id, host }]]
    }),
  )
}

/** `orch daemon add osd host:/dev/sdc`: at once, whatever the specifications say. */
function add(ceph: Ceph, cephadm: Cephadm, where: string): Outcome {
  const [host = '', path = ''] = where.split(':')
  const machine = ceph.machine(host)
  const disk = machine?.disks.find(({ name }) => `/dev/${name}` === path)
  if (!machine || !ceph.hosts.includes(host)) {
    return { code: 22, stderr: `Error EINVAL: host ${host} does not exist` }
  }
  const byHand = { ...everyDisk, service_name: 'osd' }
  const osd = disk && available(disk) ? make(ceph, cephadm, { machine, disk, spec: byHand }) : undefined
  return osd
    ? { code: 0, stdout: `Created osd(s) ${osd.id} on host '${host}'`, effect: `orch daemon add osd ${where}` }
    : { code: 0, stdout: `Created no osd(s) on host ${host}; already created?` }
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
