import type { Ceph, Pg } from './model.ts'

/**
 * Where the copies of a placement group belong: on different hosts, by weight, the same each time. As CRUSH does it, an OSD
 * that is out is passed over, and one that is only down keeps its place.
 */
export function placementOf(ceph: Ceph, pg: Pg): readonly number[] {
  const hosts = ceph.hosts
    .map((host) => ({
      host,
      osds: [...ceph.osds.values()].filter((osd) => osd.host === host && osd.inCrush && osd.exists),
    }))
    .filter(({ osds }) => osds.length > 0)
    .map(({ host, osds }) => ({ osds, draw: straw(`${pg.id}/${host}`, osds.length) }))
    .sort((a, b) => b.draw - a.draw)
  const chosen: number[] = []
  for (const { osds } of hosts) {
    const usable = osds
      .filter(({ reweight }) => reweight > 0)
      .map(({ id }) => ({ id, draw: straw(`${pg.id}/osd.${id}`, 1) }))
      .sort((a, b) => b.draw - a.draw)
    if (usable[0]) chosen.push(usable[0].id)
    if (chosen.length === pg.pool.size) break
  }
  return chosen
}

const drawn = new Map<string, number>()

function straw(name: string, weight: number): number {
  let unit = drawn.get(name)
  if (unit === undefined) {
    // FNV-1a with a last stir: even enough, and the same on every machine
    let hash = 2_166_136_261
    for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 16_777_619)
    hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507)
    unit = (((hash ^ (hash >>> 13)) >>> 0) + 1) / 4_294_967_297
    drawn.set(name, unit)
  }
  return Math.log(unit) / weight
}
