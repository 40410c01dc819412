import { uuidOf } from '../../random.ts'
import type { Disk, Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import type { Cephadm } from './cephadm.ts'
import { clusterId, folderOf, unitOf } from './names.ts'
import { pgStates } from './pg-states.ts'
import { placementOf } from './placement.ts'
import { recover, recoveryRate } from './recovery.ts'

/** One OSD; what it holds is in `copies`, by placement group. */
export interface Osd {
  readonly id: number
  host: string
  /** The disk under it, without `/dev/`; nothing after it was destroyed. */
  disk: string | undefined
  /** What its daemon told of its disk when it ran last: kept when it is destroyed, or its host gives disks other names. */
  lastDisk: Disk | undefined
  uuid: string
  exists: boolean
  inCrush: boolean
  /** Its weight in the data's distribution: 1 is in, 0 is out. */
  reweight: number
  destroyed: boolean
  hasKey: boolean
  up: boolean
  /** World milliseconds since 1970. */
  downSince: number | undefined
  /** Put out by the cluster itself, so that it comes back in with its daemon. */
  autoOut: boolean
  noout: boolean
  /** The fast disk its database is on, without `/dev/`, where it has one of its own. */
  databaseOn: string | undefined
  /** Its write-ahead log has a volume of its own on that disk too. */
  ownLog: boolean
  /** What is on its disk is encrypted with dm-crypt, and the monitors keep the key. */
  encrypted: boolean
  readonly copies: Map<string, number>
  /** Bytes on the disk that are not the cluster's objects; a nearly full OSD has many. */
  extra: number
}

/** How a technician will change the disk under an OSD, once it was given up. */
export interface Swap {
  /** World milliseconds from then. */
  readonly after: number
  readonly serial: string
  /** Of the new disk, without `/dev/`; that of the old one unless told. */
  readonly name: string | undefined
  readonly bytes: number | undefined
  /** What the new disk was used for before. */
  readonly signature: string | undefined
  /** It turns, as the old one did. */
  readonly rotational: boolean
  /** It says of itself that it fails. */
  readonly failing: boolean
  /** The technician has put it into a free slot, and left the old one where it is. */
  readonly elsewhere: boolean
}

export interface Pool {
  readonly id: number
  readonly name: string
  readonly pgs: number
  readonly objectsPerPg: number
  readonly application: string
  size: number
  minSize: number
}

export interface Pg {
  readonly id: string
  readonly pool: Pool
  readonly objects: number
}

/** What was told last of a placement group of which nobody tells. */
export interface Stale {
  readonly name: string
  readonly acting: readonly number[]
  /** World milliseconds since 1970. */
  readonly since: number
  readonly until: number
}

/**
 * The state of one Ceph cluster.
 *
 * 1. Daemons run where their units run; an OSD that is down for ten minutes is put out, unless `noout` is set.
 * 2. Objects move only while time passes and no flag forbids it; `settle` makes up for the time since the last look.
 * 3. A copy is lost with its disk, never by being down.
 */
export interface Ceph {
  readonly fsid: string
  readonly hosts: readonly string[]
  readonly mons: readonly string[]
  readonly pools: readonly Pool[]
  readonly pgs: readonly Pg[]
  readonly osds: Map<number, Osd>
  readonly flags: Set<string>
  readonly crashes: { readonly id: string; readonly at: number; readonly entity: string; archived: boolean }[]
  /** By the number of the OSD. */
  readonly swaps: Map<number, Swap>
  /** The OSDs that somebody purges while their disk is changed. */
  readonly purgedAtSwap: Set<number>
  /** How often `osd destroy` is still refused, as for an OSD that the monitors see up. */
  readonly destroyRefused: Map<number, number>
  /** Changes that the monitors make and do not answer for so many milliseconds, by how they begin: `osd out`. */
  readonly answeredLate: Map<string, number>
  /** A serial number that a daemon tells and its disk does not have. */
  readonly toldSerials: Map<number, string>
  /** Another host than its own that a daemon tells. */
  readonly toldHosts: Map<number, string>
  /** The OSD whose folder stands where that of another one should, by the number of the latter. */
  readonly foldersOf: Map<number, number>
  /** What `ceph-volume` has for an OSD, where that is not what the map and the daemon have. */
  readonly listedAs: Map<number, { readonly disk: string | undefined; readonly uuid: string | undefined }>
  /** For how many milliseconds an OSD is still shown up when its daemon has stopped. */
  readonly staysUp: Map<number, number>
  /** What the daemons of an OSD tell of themselves, where it is not the version of all. */
  readonly toldVersions: Map<number, string>
  /** The OSDs whose number somebody takes for another disk while theirs is changed. */
  readonly takenAtSwap: Set<number>
  /** The OSDs that `ceph-volume` fails to make, and whose number it then purges. */
  readonly failsToMake: Set<number>
  /** Volumes of databases on which an old one stands, `vg/lv`. */
  readonly usedVolumes: Set<string>
  /** The placement groups of which nobody tells, by their id. */
  readonly stale: Map<string, Stale>
  /** For how many milliseconds nobody tells of the groups that an OSD led, once it is down. */
  readonly staleOnceDown: Map<number, number>
  /** The placement groups whose copies differ. */
  readonly inconsistent: Set<string>
  /** Nothing is recovered, though no flag says so. */
  stuck: boolean
  /** So it will be when a disk has been changed. */
  stuckOnceSwapped: boolean
  slowOps: { osd: number; count: number; since: number } | undefined
  epoch: number
  readonly created: number
  changedAt: number
  /** What made the cluster and looks after it; a cluster of packages has none. */
  cephadm: Cephadm | undefined
  /** Records what the cluster does by itself; nobody listens until the estate is served. */
  effect: Process['effect']
  /** The systemd unit of a daemon, and where it keeps its things on its host. */
  unitOf(kind: 'mon' | 'mgr' | 'osd', id: string | number): string
  folderOf(osd: number): string
  machine(host: string): Machine | undefined
  /** Brings the cluster up to the present. */
  settle(): number
  monUp(name: string): boolean
  target(pg: Pg): readonly number[]
}

export const objectBytes = 4_194_304
const outAfter = 600_000

interface CephOptions {
  readonly hosts: readonly string[]
  readonly osdsPerHost: number
  readonly cephadm: boolean
  readonly machine: (host: string) => Machine | undefined
  readonly now: () => number
}

export function createCeph({ hosts, osdsPerHost, cephadm, machine, now }: CephOptions): Ceph {
  const pool = (id: number, name: string, pgs: number, objectsPerPg: number, application: string): Pool => ({
    id,
    name,
    pgs,
    objectsPerPg,
    application,
    size: Math.min(3, hosts.length),
    minSize: Math.min(2, hosts.length),
  })
  const pools = [
    pool(1, 'device_health_metrics', 1, 12, 'mgr_devicehealth'),
    pool(2, 'images', 32, 3_900, 'rbd'),
    pool(3, 'volumes', 64, 8_600, 'rbd'),
    pool(4, 'vms', 32, 7_200, 'rbd'),
    pool(5, 'backups', 32, 2_700, 'rbd'),
  ]
  const pgs = pools.flatMap((each) =>
    Array.from({ length: each.pgs }, (_, index) => ({
      id: `${each.id}.${index.toString(16)}`,
      pool: each,
      objects: each.objectsPerPg + ((index * 37) % 61),
    })),
  )
  const osds = new Map<number, Osd>()
  for (const [at, host] of hosts.entries()) {
    for (let slot = 0; slot < osdsPerHost; slot += 1) {
      const id = at * osdsPerHost + slot
      osds.set(id, freshOsd(id, host, `sd${String.fromCharCode(98 + slot)}`))
    }
  }
  let settledAt = now()
  const ceph: Ceph = {
    fsid: clusterId,
    cephadm: undefined,
    effect: () => undefined,
    unitOf: (kind, id) => unitOf(cephadm, kind, id),
    folderOf: (osd) => folderOf(cephadm, osd),
    hosts,
    mons: hosts.slice(0, 3),
    pools,
    pgs,
    osds,
    flags: new Set(),
    crashes: [],
    swaps: new Map(),
    purgedAtSwap: new Set(),
    destroyRefused: new Map(),
    answeredLate: new Map(),
    toldSerials: new Map(),
    toldHosts: new Map(),
    foldersOf: new Map(),
    listedAs: new Map(),
    staysUp: new Map(),
    toldVersions: new Map(),
    takenAtSwap: new Set(),
    failsToMake: new Set(),
    usedVolumes: new Set(),
    stale: new Map(),
    staleOnceDown: new Map(),
    inconsistent: new Set(),
    stuck: false,
    stuckOnceSwapped: false,
    slowOps: undefined,
    epoch: 214,
    created: now() - 400 * 86_400_000,
    changedAt: now() - 9 * 86_400_000,
    machine,
    settle() {
      const present = now()
      for (let at = settledAt; at < present; ) {
        const due = nextOut(ceph, at)
        const until = Math.min(present, due?.at ?? present)
        recover(ceph, ((until - at) / 1000) * recoveryRate)
        if (due && due.at <= present) putOut(ceph, due.osd)
        at = Math.max(until, due && due.at <= at ? at + 1 : until)
      }
      settledAt = present
      look(ceph, present)
      for (const [id, { until }] of ceph.stale) if (until <= present) ceph.stale.delete(id)
      return present
    },
    monUp: (name) => running(machine(name), unitOf(cephadm, 'mon', name)),
    target: (pg) => placementOf(ceph, pg),
  }
  for (const pg of pgs) for (const id of ceph.target(pg)) osds.get(id)?.copies.set(pg.id, pg.objects)
  return ceph
}

function freshOsd(id: number, host: string, disk: string): Osd {
  return {
    id,
    host,
    disk,
    lastDisk: undefined,
    uuid: uuidOf(`osd/${id}/${disk}`),
    exists: true,
    inCrush: true,
    reweight: 1,
    destroyed: false,
    hasKey: true,
    up: true,
    downSince: undefined,
    autoOut: false,
    noout: false,
    databaseOn: undefined,
    ownLog: false,
    encrypted: false,
    copies: new Map(),
    extra: 0,
  }
}

function running(machine: Machine | undefined, unit: string): boolean {
  return machine !== undefined && machine.power.state() !== 'off' && machine.units.find(unit)?.active === 'active'
}

/** The map changes: what an operator sees as the epoch. */
export function bump(ceph: Ceph, now: number): void {
  ceph.epoch += 1
  ceph.changedAt = now
}

/** Sees which daemons run now. */
function look(ceph: Ceph, now: number): void {
  for (const osd of ceph.osds.values()) {
    const runs = running(ceph.machine(osd.host), ceph.unitOf('osd', osd.id))
    const up = osd.exists && !osd.destroyed && osd.hasKey && runs
    if (up === osd.up) continue
    if (up && ceph.flags.has('noup')) continue
    if (!up && (ceph.flags.has('nodown') || lingers(ceph, osd, now))) continue
    const silent = up ? undefined : ceph.staleOnceDown.get(osd.id)
    if (silent !== undefined) silence(ceph, osd, now, silent)
    osd.up = up
    osd.downSince = up ? undefined : now
    if (up && osd.autoOut) Object.assign(osd, { reweight: 1, autoOut: false })
    if (up) osd.inCrush = true
    // it tells again of those that it leads
    for (const [id, { acting }] of ceph.stale) if (up && acting[0] === osd.id) ceph.stale.delete(id)
    bump(ceph, now)
  }
}

/** From now on nobody tells of the placement groups that an OSD leads. */
export function silence(ceph: Ceph, { id }: Osd, now: number, ms: number): void {
  for (const { pg, name, acting } of pgStates(ceph)) {
    if (acting[0] === id) ceph.stale.set(pg.id, { name, acting, since: now, until: now + ms })
  }
}

/** Whether nobody has noticed yet that a daemon has stopped. */
function lingers(ceph: Ceph, osd: Osd, now: number): boolean {
  const stoppedAt = ceph.machine(osd.host)?.units.find(ceph.unitOf('osd', osd.id))?.stoppedAt
  return stoppedAt !== undefined && now < stoppedAt + (ceph.staysUp.get(osd.id) ?? 0)
}

function nextOut({ osds, flags }: Ceph, from: number): { at: number; osd: Osd } | undefined {
  if (flags.has('noout')) return undefined
  let found: { at: number; osd: Osd } | undefined
  for (const osd of osds.values()) {
    if (osd.up || osd.noout || !osd.exists || osd.reweight === 0 || osd.downSince === undefined) continue
    const at = Math.max(from, osd.downSince + outAfter)
    if (!found || at < found.at) found = { at, osd }
  }
  return found
}

function putOut(ceph: Ceph, osd: Osd): void {
  Object.assign(osd, { reweight: 0, autoOut: true })
  bump(ceph, ceph.changedAt)
}
