import { parseAllDocuments, stringify } from 'yaml'
import { available, type Cephadm, everyDisk, make, mapped, type Specification, wanted } from './cephadm.ts'
import { markIn, type Outcome } from './changes.ts'
import type { Ceph } from './model.ts'

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
