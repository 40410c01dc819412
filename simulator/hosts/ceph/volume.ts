import { readOptions } from '../commands/options.ts'
import type { Disk, Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { destroy } from './changes.ts'
import type { Ceph, Osd } from './model.ts'
import { databaseVolume, logVolume } from './names.ts'
import { mountFolder, occupy } from './occupy.ts'

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
          raw: rest[0] === 'raw',
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

/** What the labels on its disk say of an OSD. */
const labelsOf = (ceph: Ceph, osd: Osd): { device: string; uuid: string } => ({
  device: `/dev/${ceph.listedAs.get(osd.id)?.disk ?? osd.disk}`,
  uuid: ceph.listedAs.get(osd.id)?.uuid ?? osd.uuid,
})

/** `ceph-volume raw list` knows JSON alone. */
function listRaw(machine: Machine, ceph: Ceph, me: Process): number {
  const found = readable(machine, ceph).map((osd) => {
    const { device, uuid } = labelsOf(ceph, osd)
    return [uuid, { ceph_fsid: ceph.fsid, device, osd_id: osd.id, osd_uuid: uuid, type: 'bluestore' }]
  })
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
        const { device, uuid } = labelsOf(ceph, osd)
        const path = `/dev/ceph-${uuid}/osd-block-${uuid}`
        const tags = {
          'ceph.block_device': path,
          'ceph.cluster_fsid': ceph.fsid,
          'ceph.cluster_name': 'ceph',
          'ceph.crush_device_class': 'hdd',
          'ceph.encrypted': osd.encrypted ? '1' : '0',
          'ceph.osd_fsid': uuid,
          'ceph.osd_id': String(osd.id),
          'ceph.type': 'block',
        }
        return [
          String(osd.id),
          [
            {
              devices: [device],
              lv_name: `osd-block-${uuid}`,
              lv_path: path,
              name: `osd-block-${uuid}`,
              path,
              tags,
              type: 'block',
              vg_name: `ceph-${uuid}`,
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
    const { device, uuid } = labelsOf(ceph, osd)
    me.out(
      `\n\n====== osd.${osd.id} =======\n\n  [block]       /dev/ceph-${uuid}/osd-block-${uuid}\n\n      cluster fsid              ${ceph.fsid}\n      osd fsid                  ${uuid}\n      osd id                    ${osd.id}\n      type                      block\n      devices                   ${device}\n`,
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
    return say(
      me,
      ` stderr: lsblk: ${path}: not a block device\n-->  RuntimeError: Error: ['lsblk: ${path}: not a block device']`,
      1,
    )
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
    raw,
    starts,
  }: {
    id: number | undefined
    path: string
    database: string | undefined
    log: string | undefined
    encrypted: boolean
    raw: boolean
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
  occupy(machine, ceph, osd, disk, { encrypted, raw })
  const databaseOn = database === databaseVolume(osd.id) ? osd.databaseOn : undefined
  Object.assign(osd, { databaseOn, ownLog: log === logVolume(osd.id) })
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
