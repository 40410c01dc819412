import { countStates, totals } from './answers.ts'
import { checksOf, degradedOf, overall, usageOf } from './health.ts'
import { type Ceph, objectBytes } from './model.ts'
import { inStates, osdState } from './osd-answers.ts'
import { pgStates } from './pg-states.ts'

const binary = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let step = 0
  for (; value >= 1024 && step < units.length - 1; step += 1) value /= 1024
  return `${value < 100 && step > 0 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${units[step]}`
}

/** `ceph -s`, for people. */
export function statusText(ceph: Ceph, now: number): string {
  const states = pgStates(ceph)
  const checks = checksOf(ceph, states, now)
  const quorum = ceph.mons.filter((name) => ceph.monUp(name))
  const osds = [...ceph.osds.values()].filter(({ exists }) => exists)
  const objects = ceph.pgs.reduce((sum, pg) => sum + pg.objects, 0)
  const { kb, used, available } = totals(ceph)
  const { objects: degraded, misplaced, total } = degradedOf(ceph, states)
  const counts = countStates(states)
  const width = Math.max(...counts.map(({ num }) => String(num).length))
  const share = (part: number) => `${part}/${total} objects`
  return [
    '  cluster:',
    `    id:     ${ceph.fsid}`,
    `    health: ${overall(checks)}`,
    ...Object.values(checks).map(({ summary }) => `            ${summary.message}`),
    ' ',
    '  services:',
    `    mon: ${ceph.mons.length} daemons, quorum ${quorum.join(',')} (age 9d)${quorum.length < ceph.mons.length ? `, out of quorum: ${ceph.mons.filter((name) => !quorum.includes(name)).join(', ')}` : ''}`,
    `    mgr: ${quorum[0] ?? 'no daemons active'}(active, since 9d)${quorum.length > 1 ? `, standbys: ${quorum.slice(1).join(', ')}` : ''}`,
    `    osd: ${osds.length} osds: ${osds.filter(({ up }) => up).length} up (since 9d), ${osds.filter(({ reweight }) => reweight > 0).length} in (since 9d)`,
    ' ',
    '  data:',
    `    pools:   ${ceph.pools.length} pools, ${ceph.pgs.length} pgs`,
    `    objects: ${(objects / 1000).toFixed(2)}k objects, ${binary(objects * objectBytes)}`,
    `    usage:   ${binary(used * 1024)} used, ${binary(available * 1024)} / ${binary(kb * 1024)} avail`,
    ...(degraded > 0 ? [`    pgs:     ${share(degraded)} degraded (${((degraded / total) * 100).toFixed(3)}%)`] : []),
    ...(misplaced > 0
      ? [
          `    ${degraded > 0 ? '        ' : 'pgs:    '} ${share(misplaced)} misplaced (${((misplaced / total) * 100).toFixed(3)}%)`,
        ]
      : []),
    ...counts.map(
      ({ name, num }, index) =>
        `    ${index === 0 && degraded + misplaced === 0 ? 'pgs:    ' : '        '} ${String(num).padStart(width)} ${name}`,
    ),
    ' ',
    '',
  ].join('\n')
}

export function healthText(ceph: Ceph, now: number, details: boolean): string {
  const checks = checksOf(ceph, pgStates(ceph), now)
  const summary = Object.values(checks)
    .map(({ summary: { message } }) => message)
    .join('; ')
  const head = `${overall(checks)}${summary === '' ? '' : ` ${summary}`}\n`
  if (!details) return head
  const letters = { HEALTH_WARN: 'WRN', HEALTH_ERR: 'ERR' } as const
  return (
    head +
    Object.entries(checks)
      .map(
        ([
          name,
          {
            severity,
            summary: { message },
            detail,
          },
        ]) => `[${letters[severity]}] ${name}: ${message}\n${detail.map((each) => `    ${each.message}\n`).join('')}`,
      )
      .join('')
  )
}

export function treeText(ceph: Ceph, states: readonly string[] = []): string {
  const rows: string[][] = [['ID', 'CLASS', 'WEIGHT', 'TYPE NAME', 'STATUS', 'REWEIGHT', 'PRI-AFF']]
  const weight = 3.638_69
  const on = (host: string) =>
    [...ceph.osds.values()].filter((osd) => osd.host === host && osd.inCrush && osd.exists && inStates(osd, states))
  // of what was asked for, and what it is in
  const shown = ceph.hosts
    .map((host, index) => ({ host, index }))
    .filter(({ host }) => states.length === 0 || on(host).length > 0)
  if (shown.length > 0)
    rows.push([
      '-1',
      '',
      (ceph.hosts.reduce((sum, host) => sum + on(host).length, 0) * weight).toFixed(5),
      'root default',
      '',
      '',
      '',
    ])
  for (const { host, index } of shown) {
    rows.push([String(-3 - index * 2), '', (on(host).length * weight).toFixed(5), `    host ${host}`, '', '', ''])
    for (const osd of on(host))
      rows.push([
        String(osd.id),
        'hdd',
        weight.toFixed(5),
        `        osd.${osd.id}`,
        osdState(osd),
        osd.reweight.toFixed(5),
        '1.00000',
      ])
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  const left = (column: number) => column === 3
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => (left(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

export function osdDfText(ceph: Ceph): string {
  const head =
    'ID  CLASS  WEIGHT   REWEIGHT  SIZE     RAW USE  DATA     OMAP  META     AVAIL    %USE   VAR   PGS  STATUS\n'
  const average = (totals(ceph).used / Math.max(1, totals(ceph).kb)) * 100
  return (
    head +
    [...ceph.osds.values()]
      .filter(({ exists, inCrush }) => exists && inCrush)
      .map((osd) => {
        const { kb, used, data, meta, available, utilization, pgs } = usageOf(ceph, osd)
        const cells = [
          binary(kb * 1024),
          binary(used * 1024),
          binary(data * 1024),
          '0 B',
          binary(meta * 1024),
          binary(available * 1024),
        ]
        return `${String(osd.id).padStart(2)}    hdd  3.63869   ${osd.reweight.toFixed(5)}  ${cells.map((cell) => cell.padStart(7)).join('  ')}  ${utilization.toFixed(2)}  ${(utilization / average).toFixed(2)}  ${String(pgs).padStart(3)}  ${osdState(osd).padStart(6)}\n`
      })
      .join('')
  )
}

export function pgStatText(ceph: Ceph): string {
  const states = pgStates(ceph)
  const { kb, used, available } = totals(ceph)
  const { objects: degraded, misplaced, total } = degradedOf(ceph, states)
  const objects = ceph.pgs.reduce((sum, pg) => sum + pg.objects, 0)
  const extra = [
    [degraded, 'degraded'],
    [misplaced, 'misplaced'],
  ]
    .filter(([count]) => Number(count) > 0)
    .map(([count, what]) => `; ${count}/${total} objects ${what} (${((Number(count) / total) * 100).toFixed(3)}%)`)
    .join('')
  return `${ceph.pgs.length} pgs: ${countStates(states)
    .map(({ name, num }) => `${num} ${name}`)
    .join(
      ', ',
    )}; ${binary(objects * objectBytes)} data, ${binary(used * 1024)} used, ${binary(available * 1024)} / ${binary(kb * 1024)} avail${extra}\n`
}
