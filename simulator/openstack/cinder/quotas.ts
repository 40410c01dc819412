import { ApiFailure, type ApiRequest, json, type Route } from '../http/api.ts'
import { isOn } from '../http/paging.ts'
import { projectOf } from '../keystone/state.ts'
import type { CinderState } from './state.ts'

const limits: { readonly [resource: string]: number } = {
  volumes: 100,
  per_volume_gigabytes: -1,
  snapshots: 100,
  gigabytes: 20_000,
  backups: 200,
  backup_gigabytes: 20_000,
  volumes_ceph: -1,
  gigabytes_ceph: -1,
  snapshots_ceph: -1,
  groups: 10,
}

export function quotaRoute(cinder: CinderState): Route {
  return {
    method: 'GET',
    path: '/os-quota-sets/:project',
    handle: ({ params: { project = '' }, query, token }: ApiRequest) => {
      if (project !== projectOf(token) && !token.roles.includes('admin')) {
        throw new ApiFailure(403, 'volume_extension:quotas:show')
      }
      const own = cinder.quotas.get(project) ?? {}
      const used = usedBy(cinder, project)
      const rows = Object.entries(limits).map(([name, usual]) => {
        const limit = own[name] ?? usual
        return [name, isOn(query, 'usage') ? { limit, in_use: used[name] ?? 0, reserved: 0 } : limit]
      })
      return json(200, { quota_set: { ...Object.fromEntries(rows), id: project } })
    },
  }
}

function usedBy(cinder: CinderState, owner: string): { readonly [resource: string]: number } {
  const of = <T extends { readonly project: string; readonly size: number }>(all: readonly T[]) => {
    const own = all.filter(({ project }) => project === owner)
    return { count: own.length, gigabytes: own.reduce((sum, { size }) => sum + size, 0) }
  }
  const [volumes, snapshots, backups] = [of(cinder.volumes), of(cinder.snapshots), of(cinder.backups)]
  return {
    volumes: volumes.count,
    volumes_ceph: volumes.count,
    snapshots: snapshots.count,
    snapshots_ceph: snapshots.count,
    gigabytes: volumes.gigabytes + snapshots.gigabytes,
    gigabytes_ceph: volumes.gigabytes + snapshots.gigabytes,
    backups: backups.count,
    backup_gigabytes: backups.gigabytes,
  }
}
