import { readOptions } from '../commands/options.ts'
import { dataDisk, linkDisks } from '../layout.ts'
import type { Disk, Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import type { UnitKind } from '../machine/units.ts'
import { createOsd, destroy } from './changes.ts'
import { bump, type Ceph, databaseVolume, logVolume, type Osd, type Swap, unitOf } from './model.ts'

/** The units of a Ceph host. */
export function cephUnits(host: string, mon: boolean, osds: readonly number[], cephadm: boolean): UnitKind[] {
  const daemon = (kind: string, id: string, description: string): UnitKind => ({
    name: `${unitOf(cephadm, kind, id)}.service`,
    description,
    command: `/usr/bin/ceph-${kind} -f --cluster ceph --id ${id} --setuser ceph --setgroup ceph`,
    user: 'ceph',
    startsIn: 3_000,
    openFiles: 1_048_576,
    restarts: true,
  })
  return [
    ...(mon
      ? [daemon('mon', host, 'Ceph cluster monitor daemon'), daemon('mgr', host, 'Ceph cluster manager daemon')]
      : []),
    ...osds.map((id) => daemon('osd', String(id), `Ceph object storage daemon osd.${id}`)),
    {
      name: 'ceph-crash.service',
      description: 'Ceph crash dump collector',
      command: '/usr/bin/python3 /usr/bin/ceph-crash',
    },
  ]
}

/** How long the technician of a rehearsal takes to change a disk, once its OSD was destroyed; milliseconds. */
const swapTime = 300_000

/** A new disk where the old one was: another serial number, sound, and with nothing on it unless the swap says so. */
function swapDisk(machine: Machine, ceph: Ceph, osd: number, old: string, swap?: Swap): void {
  const at = machine.disks.findIndex((disk) => disk.name === old)
  if (at === -1) return
  const name = swap?.name ?? old
  const fresh = { ...dataDisk(name, machine.random), signature: swap?.signature }
  machine.disks[at] = { ...fresh, serial: swap?.serial ?? fresh.serial, bytes: swap?.bytes ?? fresh.bytes }
  linkDisks(machine)
  machine.units.hold(ceph.unitOf('osd', osd), undefined)
  machine.kernelLog.add({
    at: machine.now(),
    priority: 5,
    message: `sd 0:0:${osd}:0: [${name}] Attached SCSI disk`,
    identifier: 'kernel',
    bootId: machine.power.boot().id,
  })
}

/** A broken disk is changed a while after its OSD was given up, as a person would. */
export function callTechnician(ceph: Ceph, osd: Osd, disk: string): void {
  const machine = ceph.machine(osd.host)
  const swap = ceph.swaps.get(osd.id)
  if (!machine || (!swap && !machine.disks.find(({ name }) => name === disk)?.broken)) return
  machine.clock.after(swap?.after ?? swapTime, () => {
    swapDisk(machine, ceph, osd.id, disk, swap)
    ceph.settle()
    if (ceph.stuckOnceSwapped) ceph.stuck = true
    if (ceph.purgedAtSwap.has(osd.id)) destroy(ceph, osd, true, 'purge', machine.now())
    if (ceph.takenAtSwap.has(osd.id)) createOsd(ceph, machine.random.uuid(), osd.id, machine.now())
    ceph.cephadm?.wake()
  })
}

/** `ceph-volume lvm list|create|prepare|activate|zap`, and the same under `raw`. */
export function cephVolumeProgram(machine: Machine, ceph: Ceph): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, [
      'osd-id',
      'osd-fsid',
      'data',
      'device',
      'format',
      'block.db',
      'block.wal',
      'crush-device-class',
    ])
    const [, verb, target] = rest
    if (me.user !== 'root')
      return say(me, 'ceph-volume: error: This command needs to be executed with sudo or as root', 2)
    switch (verb) {
      case 'list':
        if (rest[0] === 'raw') return listRaw(machine, ceph, me)
        return list(machine, ceph, me, target, flags.get('format') === 'json')
      case 'zap':
        return zap(machine, ceph, me, target ?? '')
      case 'create':
      case 'prepare':
        return create(machine, ceph, me, {
          id: flags.has('osd-id') ? Number(flags.get('osd-id')) : undefined,
          path: String(flags.get('data') ?? flags.get('device') ?? ''),
          database: flags.has('block.db') ? String(flags.get('block.db')) : undefined,
          log: flags.has('block.wal') ? String(flags.get('block.wal')) : undefined,
          encrypted: flags.has('dmcrypt'),
          starts: verb === 'create',
        })
      case 'activate': {
        const osd =
          target !== undefined && /^\d+$/.test(target)
            ? Number(target)
            : osdOf(machine, ceph, String(flags.get('device') ?? ''))?.id
        if (osd === undefined) return say(me, 'ceph-volume: error: no OSD was found to activate', 1)
        if (!flags.has('no-systemd')) await me.sleep(machine.units.start(ceph.unitOf('osd', osd)) + 20)
        return say(me, `--> ceph-volume ${rest[0]} activate successful for osd ID: ${osd}`, 0)
      }
      default:
        return say(me, `ceph-volume: error: unknown subcommand ${verb ?? ''}`, 1)
    }
  }
}

function say(me: Process, text: string, code: number): number {
  me.err(`${text}\n`)
  return code
}

const osdOf = (machine: Machine, ceph: Ceph, path: string): Osd | undefined =>
  [...ceph.osds.values()].find((osd) => osd.host === machine.name && `/dev/${osd.disk}` === path)

/** The OSDs whose disk can be read: one that has died is in no list. */
const readable = (machine: Machine, ceph: Ceph): Osd[] =>
  [...ceph.osds.values()].filter(
    (osd) => osd.host === machine.name && osd.exists && diskAt(machine, `/dev/${osd.disk}`)?.broken === false,
  )

/** `ceph-volume raw list` knows JSON alone. */
function listRaw(machine: Machine, ceph: Ceph, me: Process): number {
  const found = readable(machine, ceph).map((osd) => [
    osd.uuid,
    { ceph_fsid: ceph.fsid, device: `/dev/${osd.disk}`, osd_id: osd.id, osd_uuid: osd.uuid, type: 'bluestore' },
  ])
  me.out(`${JSON.stringify(Object.fromEntries(found), null, 4)}\n`)
  return 0
}

function list(machine: Machine, ceph: Ceph, me: Process, target: string | undefined, json: boolean): number {
  const mine = readable(machine, ceph)
  const owner = [...ceph.osds.values()].find(
    ({ id, ownLog }) => databaseVolume(id) === target || (ownLog && logVolume(id) === target),
  )
  if (json && owner?.databaseOn !== undefined) {
    const left = owner.host === machine.name && (!owner.destroyed || ceph.usedVolumes.has(target ?? ''))
    const tags = { 'ceph.osd_id': String(owner.id), 'ceph.osd_fsid': owner.uuid }
    const found = left ? { [owner.id]: [volumeEntry(target ?? '', owner.databaseOn, tags)] } : {}
    me.out(`${JSON.stringify(found, null, 4)}\n`)
    return 0
  }
  const wanted = mine.filter(
    ({ id, disk }) => target === undefined || String(id) === target || `/dev/${disk}` === target,
  )
  if (json) {
    const found = Object.fromEntries(
      wanted.map((osd) => {
        const path = `/dev/ceph-${osd.uuid}/osd-block-${osd.uuid}`
        const tags = {
          'ceph.block_device': path,
          'ceph.cluster_fsid': ceph.fsid,
          'ceph.cluster_name': 'ceph',
          'ceph.crush_device_class': 'hdd',
          'ceph.encrypted': osd.encrypted ? '1' : '0',
          'ceph.osd_fsid': osd.uuid,
          'ceph.osd_id': String(osd.id),
          'ceph.type': 'block',
        }
        return [
          String(osd.id),
          [
            {
              devices: [`/dev/${osd.disk}`],
              lv_name: `osd-block-${osd.uuid}`,
              lv_path: path,
              name: `osd-block-${osd.uuid}`,
              path,
              tags,
              type: 'block',
              vg_name: `ceph-${osd.uuid}`,
            },
            ...(osd.databaseOn === undefined ? [] : [volumeEntry(databaseVolume(osd.id), osd.databaseOn, tags)]),
            ...(osd.databaseOn === undefined || !osd.ownLog
              ? []
              : [volumeEntry(logVolume(osd.id), osd.databaseOn, tags)]),
          ],
        ]
      }),
    )
    me.out(`${JSON.stringify(found, null, 4)}\n`)
    return 0
  }
  if (wanted.length === 0) return say(me, 'No valid Ceph lvm devices found', 1)
  for (const osd of wanted) {
    me.out(
      `\n\n====== osd.${osd.id} =======\n\n  [block]       /dev/ceph-${osd.uuid}/osd-block-${osd.uuid}\n\n      cluster fsid              ${ceph.fsid}\n      osd fsid                  ${osd.uuid}\n      osd id                    ${osd.id}\n      type                      block\n      devices                   /dev/${osd.disk}\n`,
    )
  }
  return 0
}

/** A volume beside the data: of a database, or of a write-ahead log. */
function volumeEntry(name: string, disk: string, tags: object): object {
  const [group, volume = ''] = name.split('/')
  const path = `/dev/${name}`
  const type = volume.startsWith('wal-') ? 'wal' : 'db'
  return {
    devices: [`/dev/${disk}`],
    lv_name: volume,
    lv_path: path,
    name: volume,
    path,
    tags: { ...tags, 'ceph.type': type },
    type,
    vg_name: group,
  }
}

const diskAt = (machine: Machine, path: string): Disk | undefined =>
  machine.disks.find(({ name }) => `/dev/${name}` === path)

function zap(machine: Machine, ceph: Ceph, me: Process, path: string): number {
  if (ceph.usedVolumes.delete(path)) {
    me.effect('host.ceph_volume.zap', `${machine.name}:${path}`)
    return say(me, `--> Zapping: /dev/${path}\n--> Zapping successful for: <LV: /dev/${path}>`, 0)
  }
  const disk = diskAt(machine, path)
  if (!disk)
    return say(me, `ceph-volume lvm zap: error: argument DEVICES: Invalid value: '${path}'. Device does not exist`, 2)
  disk.signature = undefined
  me.effect('host.ceph_volume.zap', `${machine.name}:${path}`)
  return say(me, `--> Zapping: ${path}\n--> Zapping successful for: <Raw Device: ${path}>`, 0)
}

async function create(
  machine: Machine,
  ceph: Ceph,
  me: Process,
  {
    id,
    path,
    database,
    log,
    encrypted,
    starts,
  }: {
    id: number | undefined
    path: string
    database: string | undefined
    log: string | undefined
    encrypted: boolean
    starts: boolean
  },
): Promise<number> {
  const disk = diskAt(machine, path)
  if (!disk) return say(me, `ceph-volume lvm create: error: Unable to proceed with non-existing device: ${path}`, 1)
  if (disk.broken)
    return say(
      me,
      `--> RuntimeError: command returned non-zero exit status: 5\n stderr: ${path}: Input/output error`,
      1,
    )
  if (disk.signature !== undefined)
    return say(
      me,
      `--> RuntimeError: Device ${path} has a filesystem or partition signature (${disk.signature}); zap it first`,
      1,
    )
  const inUse = [database, log].find((volume) => volume !== undefined && ceph.usedVolumes.has(volume))
  if (inUse !== undefined)
    return say(me, `--> RuntimeError: unable to prepare device, already in use: /dev/${inUse}`, 1)
  ceph.settle()
  const osd =
    id === undefined
      ? [...ceph.osds.values()].find((each) => each.destroyed && each.host === machine.name)
      : ceph.osds.get(id)
  // a number that is asked for must be destroyed, or made by `ceph osd new` and waiting for its disk
  const free = osd?.exists === true && (osd.destroyed || osd.disk === undefined)
  if (!osd || !free) return say(me, `--> RuntimeError: The osd ID ${id ?? ''} is already in use or does not exist.`, 1)
  if (ceph.failsToMake.delete(osd.id)) {
    destroy(ceph, osd, true, 'purge', machine.now())
    me.effect('host.ceph_volume.rollback', `${machine.name}:osd.${osd.id}`)
    return say(
      me,
      `--> Was unable to complete a new OSD, will rollback changes\nRunning command: /usr/bin/ceph osd purge-new osd.${osd.id} --yes-i-really-mean-it\n stderr: purged osd.${osd.id}\n-->  RuntimeError: Command failed with exit code 250: ceph-osd --mkfs`,
      1,
    )
  }
  occupy(machine, ceph, osd, disk)
  const databaseOn = database === databaseVolume(osd.id) ? osd.databaseOn : undefined
  Object.assign(osd, { databaseOn, ownLog: log === logVolume(osd.id), encrypted })
  me.effect('host.ceph_volume.create', `${machine.name}:${path}`, {
    osd: osd.id,
    serial: disk.serial,
    ...(database !== undefined && { database }),
    ...(log !== undefined && { log }),
    ...(encrypted && { encrypted }),
  })
  mountFolder(machine, osd.id)
  await me.sleep(6_000)
  if (starts) await me.sleep(machine.units.start(ceph.unitOf('osd', osd.id)) + 20)
  ceph.settle()
  return say(me, `--> ceph-volume lvm ${starts ? 'create' : 'prepare'} successful for: ${path}`, 0)
}

/** An OSD and its disk belong together from here on. */
export function occupy(machine: Machine, ceph: Ceph, osd: Osd, disk: Disk): void {
  Object.assign(disk, { signature: 'ceph_bluestore', label: undefined })
  osd.copies.clear()
  Object.assign(osd, {
    disk: disk.name,
    host: machine.name,
    uuid: machine.random.uuid(),
    exists: true,
    destroyed: false,
    hasKey: true,
    autoOut: true,
    extra: 0,
  })
  bump(ceph, machine.now())
}

/** The partition name by which Kolla knows a disk that is to become an OSD. */
const bootstrap = 'KOLLA_CEPH_OSD_BOOTSTRAP'

/** `kolla-ansible deploy -t ceph`: makes an OSD of every disk that is labelled for it, under the lowest free number. */
export function kollaProgram(machine: Machine, ceph: Ceph): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, ['t', 'tags', 'i', 'inventory'])
    if (rest[0] !== 'deploy' || (flags.get('t') ?? flags.get('tags')) !== 'ceph') {
      return say(me, 'kolla-ansible: only `deploy -t ceph` is part of this rehearsal', 1)
    }
    ceph.settle()
    for (const name of ceph.hosts) {
      const host = ceph.machine(name)
      for (const disk of host?.disks.filter(({ label }) => label === bootstrap) ?? []) {
        const osd = [...ceph.osds.values()].find(({ exists }) => !exists)
        if (!host || !osd) return say(me, `fatal: [${name}]: no number is free`, 2)
        occupy(host, ceph, osd, disk)
        mountFolder(host, osd.id)
        me.effect('host.kolla_ansible.deploy', `${name}:/dev/${disk.name}`, { osd: osd.id, serial: disk.serial })
        await me.sleep(40_000)
        await me.sleep(host.units.start(ceph.unitOf('osd', osd.id)) + 20)
      }
    }
    ceph.settle()
    me.out(`${machine.name} : ok=31 changed=4 unreachable=0 failed=0\n`)
    return 0
  }
}

/** The folder of an OSD is a small file system in memory. */
function mountFolder({ mounts }: Machine, osd: number): void {
  const at = `/var/lib/ceph/osd/ceph-${osd}`
  if (mounts.some((mount) => mount.at === at)) return
  const sizes = { size: 33_500_000, used: 28, inodes: 8_000_000, inodesUsed: 9 }
  mounts.push({ device: 'tmpfs', at, type: 'tmpfs', options: 'rw,relatime', ...sizes })
}
