import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import * as answers from './answers.ts'
import {
  createOsd,
  crushRemove,
  destroy,
  markIn,
  markOut,
  type Outcome,
  okToStop,
  remove,
  safeToDestroy,
  setFlag,
} from './changes.ts'
import type { Ceph, Osd } from './model.ts'
import { orchestrate, orchOptions } from './orchestrate.ts'
import * as osds from './osd-answers.ts'
import { healthText, osdDfText, pgStatText, statusText, treeText } from './plain.ts'
import { callTechnician } from './technician.ts'

/** `ceph`, as 16.2 answers: plain text, and JSON with `-f json`. */
export function cephProgram(machine: Machine, ceph: Ceph): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, [
      'f',
      'format',
      'c',
      'conf',
      'n',
      'name',
      'k',
      'keyring',
      'connect-timeout',
      'cluster',
      'id',
      'i',
      'in-file',
      ...orchOptions,
    ])
    const format = String(flags.get('f') ?? flags.get('format') ?? 'plain')
    const words =
      flags.has('s') || flags.has('status') ? ['status'] : flags.has('v') || flags.has('version') ? ['version'] : rest
    if (me.user !== 'root') {
      me.err(
        "Error initializing cluster client: ObjectNotFound('RADOS object not found (error calling conf_read_file)')\n",
      )
      return 1
    }
    if (ceph.mons.filter((name) => ceph.monUp(name)).length * 2 <= ceph.mons.length) {
      // without a quorum nobody answers
      await me.sleep(Number(flags.get('connect-timeout') ?? 300) * 1000)
      me.err('[errno 110] RADOS timed out (error connecting to the cluster)\n')
      return 1
    }
    const now = ceph.settle()
    const disks = new Map([...ceph.osds.values()].map((osd) => [osd, osd.disk]))
    const given = flags.get('i') === '-' ? (await me.input()).toString() : undefined
    const outcome =
      words[0] === 'orch'
        ? orchestrate(ceph, words.slice(1), { flags, format, given })
        : answer(ceph, words, {
            now,
            json: format.startsWith('json'),
            sure: flags.has('yes-i-really-mean-it'),
            force: flags.has('force'),
          })
    ceph.settle()
    for (const [osd, disk] of disks) if (osd.disk !== disk && disk) callTechnician(ceph, osd, disk)
    return tell(me, ceph, machine, outcome, format)
  }
}

async function tell(me: Process, ceph: Ceph, machine: Machine, outcome: Outcome, format: string): Promise<number> {
  const { code, stdout, stderr, json, effect } = outcome
  if (effect !== undefined) me.effect('host.ceph', effect, { host: machine.name })
  const late = [...ceph.answeredLate].find(([change]) => effect?.startsWith(change))
  if (late) {
    ceph.answeredLate.delete(late[0])
    await me.sleep(late[1])
  }
  if (format.startsWith('json') && json !== undefined) {
    me.out(`\n${format === 'json-pretty' ? JSON.stringify(json, null, 4) : JSON.stringify(json)}\n`)
  } else if (stdout !== undefined && stdout !== '') {
    me.out(stdout.endsWith('\n') ? stdout : `${stdout}\n`)
  }
  if (stderr !== undefined && stderr !== '') me.err(`${stderr}\n`)
  return code
}

interface Asked {
  readonly now: number
  readonly json: boolean
  readonly sure: boolean
  readonly force: boolean
}

function answer(ceph: Ceph, words: readonly string[], asked: Asked): Outcome {
  const { now } = asked
  const [family, verb, ...rest] = words
  switch (family) {
    case 'status':
      return { code: 0, json: answers.status(ceph, now), stdout: statusText(ceph, now) }
    case 'health':
      return {
        code: 0,
        json: answers.health(ceph, now, verb === 'detail'),
        stdout: healthText(ceph, now, verb === 'detail'),
      }
    case 'df':
      return { code: 0, json: answers.df(ceph), stdout: JSON.stringify(answers.df(ceph)) }
    case 'fsid':
      return { code: 0, json: { fsid: ceph.fsid }, stdout: ceph.fsid }
    case 'version':
      return { code: 0, json: { version: version }, stdout: version }
    case 'versions': {
      const count = (kind: string, many: number) => ({ [kind]: tally(ceph, kind, many) })
      const json = {
        ...count('mon', ceph.mons.length),
        ...count('mgr', ceph.mons.length),
        ...count('osd', [...ceph.osds.values()].filter(({ up }) => up).length),
        mds: {},
        ...count('overall', ceph.osds.size + 6),
      }
      return { code: 0, json, stdout: JSON.stringify(json, null, 4) }
    }
    case 'quorum_status':
      return { code: 0, json: answers.quorumStatus(ceph), stdout: JSON.stringify(answers.quorumStatus(ceph)) }
    case 'mon':
      if (verb === 'stat')
        return { code: 0, json: answers.monStat(ceph), stdout: JSON.stringify(answers.monStat(ceph)) }
      break
    case 'pg':
      if (verb === 'stat') return { code: 0, json: answers.pgStat(ceph), stdout: pgStatText(ceph) }
      break
    case 'crash':
      return crash(ceph, verb ?? '', asked)
    case 'auth':
      if (verb === 'del' || verb === 'rm') {
        const osd = ceph.osds.get(Number(rest[0]?.replace('osd.', '')))
        const known = osd?.hasKey === true
        if (osd) osd.hasKey = false
        return {
          code: 0,
          stderr: known ? 'updated' : `entity ${rest[0]} does not exist`,
          ...(known && { effect: `auth del ${rest[0]}` }),
        }
      }
      break
    case 'device':
      if (verb === 'ls') return { code: 0, json: devices(ceph), stdout: devicesText(ceph) }
      if (verb === 'light' && /^(on|off)$/.test(rest[0] ?? '')) {
        if (!ceph.cephadm)
          return { code: 2, stderr: 'Error ENOENT: No orchestrator configured (try `ceph orch set backend`)' }
        const known = devices(ceph).some(({ devid }) => devid === rest[1])
        return known || rest[0] === 'off'
          ? { code: 0, effect: `device light ${rest[0]} ${rest[1]}` }
          : { code: 2, stderr: `Error ENOENT: device ${rest[1]} not found` }
      }
      break
    case 'config-key':
      if (verb === 'ls') {
        const json = [...ceph.osds.values()]
          .filter(({ encrypted, destroyed, exists }) => encrypted && exists && !destroyed)
          .map(({ uuid }) => `dm-crypt/osd/${uuid}/luks`)
        return { code: 0, json, stdout: JSON.stringify(json, null, 4) }
      }
      break
    case 'osd':
      return osdAnswer(ceph, verb ?? '', rest, asked)
  }
  return { code: 22, stderr: 'no valid command found; 10 closest matches:\nError EINVAL: invalid command' }
}

const version = 'ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)'

/** How many daemons of a kind run each version. */
function tally(ceph: Ceph, kind: string, many: number): Record<string, number> {
  const others = kind === 'osd' || kind === 'overall' ? [...ceph.toldVersions.values()] : []
  const counts: Record<string, number> = { [version]: many - others.length }
  for (const each of others) counts[each] = (counts[each] ?? 0) + 1
  return counts
}

const devices = (ceph: Ceph) =>
  [...ceph.osds.values()].flatMap((osd) => {
    // a disk stays known as that of its daemon until the daemon tells of another
    const known = osd.disk ?? osd.lastDisk?.name
    const disk = ceph
      .machine(osd.host)
      ?.disks.find((each) => each.name === known && (osd.disk || each === osd.lastDisk))
    return disk
      ? [
          {
            devid: `${disk.model.replaceAll(' ', '_')}_${disk.serial}`,
            location: [{ host: osd.host, dev: disk.name, path: `/dev/${disk.name}` }],
            daemons: [`osd.${osd.id}`],
          },
        ]
      : []
  })

function devicesText(ceph: Ceph): string {
  const rows = devices(ceph).map(({ devid, location, daemons }) => [
    devid,
    location.map(({ host, dev }) => `${host}:${dev}`).join(' '),
    daemons.join(' '),
  ])
  return [['DEVICE', 'HOST:DEV', 'DAEMONS'], ...rows]
    .map((row) =>
      row
        .map((cell) => cell.padEnd(30))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function crash(ceph: Ceph, verb: string, { now }: Asked): Outcome {
  if (verb === 'archive-all') {
    for (const each of ceph.crashes) each.archived = true
    return { code: 0, effect: 'crash archive-all' }
  }
  const json = ceph.crashes
    .filter(({ archived }) => verb !== 'ls-new' || !archived)
    .map(({ id, at, entity }) => ({
      crash_id: id,
      timestamp: new Date(Math.min(at, now)).toISOString(),
      entity_name: entity,
    }))
  return { code: 0, json, stdout: json.map(({ crash_id, entity_name }) => `${crash_id}  ${entity_name}`).join('\n') }
}

function osdAnswer(ceph: Ceph, verb: string, rest: readonly string[], asked: Asked): Outcome {
  const { now, json, sure } = asked
  const numbers = rest.filter((word) => /^(osd\.)?\d+$/.test(word)).map((word) => Number(word.replace('osd.', '')))
  const one = (work: (osd: Osd) => Outcome): Outcome => {
    const osd = ceph.osds.get(numbers[0] ?? -1)
    if (!osd?.exists) return { code: 2, stderr: `Error ENOENT: osd.${numbers[0] ?? rest[0]} does not exist` }
    return work(osd)
  }
  switch (verb) {
    case 'tree':
      return { code: 0, json: osds.osdTree(ceph, rest), stdout: treeText(ceph, rest) }
    case 'df':
      return { code: 0, json: osds.osdDf(ceph), stdout: osdDfText(ceph) }
    case 'dump':
      return { code: 0, json: osds.osdDump(ceph), stdout: JSON.stringify(osds.osdDump(ceph), null, 4) }
    case 'stat': {
      const stat = answers.osdStat(ceph) as Record<string, number>
      return {
        code: 0,
        json: stat,
        stdout: `${stat['num_osds']} osds: ${stat['num_up_osds']} up (since 9d), ${stat['num_in_osds']} in (since 9d); epoch: e${stat['epoch']}`,
      }
    }
    case 'ls': {
      const ids = [...ceph.osds.values()].filter(({ exists }) => exists).map(({ id }) => id)
      return { code: 0, json: ids, stdout: ids.join('\n') }
    }
    case 'find':
      return one((osd) => {
        const found = {
          osd: osd.id,
          addrs: {
            addrvec: [
              {
                type: 'v2',
                addr: `${ceph.machine(osd.host)?.address}:${6800 + (osd.id % 8) * 8}`,
                nonce: 28_940 + osd.id,
              },
            ],
          },
          osd_fsid: osd.destroyed ? '00000000-0000-0000-0000-000000000000' : osd.uuid,
          host: osd.host,
          crush_location: { host: osd.host, root: 'default' },
        }
        return { code: 0, json: found, stdout: JSON.stringify(found, null, 4) }
      })
    case 'metadata':
      if (rest.length === 0) {
        const all = [...ceph.osds.values()].filter(({ exists }) => exists).map((osd) => osds.osdMetadata(ceph, osd))
        return { code: 0, json: all, stdout: JSON.stringify(all, null, 4) }
      }
      return one((osd) => ({
        code: 0,
        json: osds.osdMetadata(ceph, osd),
        stdout: JSON.stringify(osds.osdMetadata(ceph, osd), null, 4),
      }))
    case 'pool': {
      const names = ceph.pools.map(({ name }) => name)
      return { code: 0, json: names, stdout: names.join('\n') }
    }
    case 'ok-to-stop':
      return okToStop(ceph, numbers)
    case 'safe-to-destroy':
      return safeToDestroy(ceph, numbers, json)
    case 'set':
    case 'unset':
      return setFlag(ceph, rest[0] ?? '', verb, now)
    case 'out':
      return one((osd) => markOut(ceph, osd, now))
    case 'in':
      return one((osd) => markIn(ceph, osd, now))
    case 'down':
      return one((osd) => ({
        code: 0,
        stderr: osd.up ? `marked down osd.${osd.id}. ` : `osd.${osd.id} is already down. `,
      }))
    case 'destroy':
    case 'purge': {
      const osd = ceph.osds.get(numbers[0] ?? -1)
      if (!osd?.exists) return { code: 0, stderr: `osd.${numbers[0] ?? rest[0]} does not exist` }
      // the manager looks before the monitors do, unless somebody is sure
      const mapped = safeToDestroy(ceph, [osd.id], false)
      if (mapped.code !== 16 || sure || asked.force) return destroy(ceph, osd, sure, verb, now)
      const warning =
        'You can proceed by passing --force, but be warned that this will likely mean real, permanent data loss.'
      return { ...mapped, stderr: `${mapped.stderr}\n${warning}` }
    }
    case 'rm': {
      const osd = ceph.osds.get(numbers[0] ?? -1)
      return osd ? remove(ceph, osd, now) : { code: 0, stderr: `osd.${rest[0]} does not exist. ` }
    }
    case 'crush':
      if (rest[0] === 'remove' || rest[0] === 'rm') return crushRemove(ceph, rest[1] ?? '', now)
      break
    case 'new':
      return createOsd(ceph, rest[0] ?? '', numbers.at(-1), now)
    case 'add-noout':
    case 'rm-noout':
      return one((osd) => {
        osd.noout = verb === 'add-noout'
        return { code: 0, effect: `osd ${verb} ${osd.id}` }
      })
  }
  return { code: 22, stderr: 'no valid command found; 10 closest matches:\nError EINVAL: invalid command' }
}
