import { expect } from 'vitest'
import { type Answer, type Api, at, compute, rows } from './api.ts'

export const version = compute('2.92')

/** A server that statements are made about, and what it may become. */
export interface Known {
  readonly id: string
  readonly flavor: string
  readonly otherFlavor: string
  readonly image: string
  /** Compute hosts that it may be on. */
  readonly hosts: readonly [string, string]
}

/** `#cloud-config`, as it goes over the wire. */
export const userData = 'I2Nsb3VkLWNvbmZpZwo='

interface Wanted {
  /** On the first of its hosts unless told. */
  readonly host?: string
  readonly group?: string
  /** The status it ends in. */
  readonly ends?: string
}

export async function makeServer(api: Api, { host, group, ends = 'ACTIVE' }: Wanted = {}): Promise<Known> {
  const { body: flavors } = await api.get('nova', '/v2.1/flavors/detail', version)
  const bySize = rows(flavors, 'flavors').sort((a, b) => Number(a['ram']) - Number(b['ram']))
  const { body: images } = await api.get('glance', '/v2/images?status=active&visibility=public')
  const hosts = await twoHosts(api)
  const known = {
    hosts,
    flavor: String(bySize[0]?.['id']),
    otherFlavor: String(bySize[1]?.['id']),
    image: String(rows(images, 'images')[0]?.['id']),
  }
  const server = {
    name: 'simnova-server',
    flavorRef: known.flavor,
    imageRef: known.image,
    networks: 'none',
    host: host ?? hosts[0],
    user_data: userData,
  }
  const hints = group === undefined ? {} : { 'os:scheduler_hints': { group } }
  const made = await api.post('nova', '/v2.1/servers', { server, ...hints }, version)
  expect(made.status).toBe(202)
  const id = String(at(made.body, 'server', 'id'))
  expect(await settled(api, { ...known, id }, ends)).toBe(ends)
  return { ...known, id }
}

/** Where a lab has hosts whose compute service is all there is of them, those: the others are rebooted by other tests. */
async function twoHosts(api: Api): Promise<Known['hosts']> {
  const { body } = await api.get('nova', '/v2.1/os-services?binary=nova-compute', version)
  const up = rows(body, 'services').filter(({ status, state }) => status === 'enabled' && state === 'up')
  const names = up.map(({ host }) => String(host)).sort()
  const bare = names.filter((name) => name.startsWith('compute-'))
  const [first = '', second = ''] = bare.length > 1 ? bare : names
  return [first, second]
}

/** Takes away what the statements leave when one of them does not hold. */
export async function removeTraces(api: Api): Promise<void> {
  const remove = async (service: string, path: string, list: string, at: string) => {
    const { body } = await api.get(service, path, service === 'nova' ? version : {})
    // a list that is not asked by name may hold what is not ours
    const ours = rows(body, list).filter(({ name }) => String(name).startsWith('simnova-'))
    for (const { id } of ours) await api.call('DELETE', service, `${at}/${id}`)
  }
  const volumes = `/v3/${api.project}/volumes`
  await remove('nova', '/v2.1/servers?name=^simnova-', 'servers', '/v2.1/servers')
  await remove('nova', '/v2.1/os-server-groups', 'server_groups', '/v2.1/os-server-groups')
  await remove('glance', '/v2/images?name=simnova-copy', 'images', '/v2/images')
  await remove('cinder', `${volumes}?name=simnova-volume&status=available`, 'volumes', volumes)
}

export const act = (api: Api, { id }: Known, action: object): Promise<Answer> =>
  api.post('nova', `/v2.1/servers/${id}/action`, action, version)

export async function show(api: Api, { id }: Pick<Known, 'id'>): Promise<{ readonly [field: string]: unknown }> {
  const { body } = await api.get('nova', `/v2.1/servers/${id}`, version)
  return (at(body, 'server') ?? {}) as { readonly [field: string]: unknown }
}

/** The status when nothing is under way any more and it is the one that is waited for, or the last one seen. */
export async function settled(api: Api, server: Known, wanted: string): Promise<unknown> {
  const at = async () => {
    const { status, 'OS-EXT-STS:task_state': task } = await show(api, server)
    return { status, idle: task === null }
  }
  await until(api, async () => {
    const { status, idle } = await at()
    return idle && (status === wanted || status === 'ERROR')
  })
  return (await at()).status
}

/** Newest first. */
export const migrationsOf = async (api: Api, { id }: Known) =>
  rows((await api.get('nova', `/v2.1/os-migrations?instance_uuid=${id}`, version)).body, 'migrations')

export async function lastAction(api: Api, { id }: Known): Promise<unknown> {
  const base = `/v2.1/servers/${id}/os-instance-actions`
  const newest = async () => {
    const { body } = await api.get('nova', base, version)
    const request = rows(body, 'instanceActions')[0]?.['request_id']
    return at((await api.get('nova', `${base}/${request}`, version)).body, 'instanceAction')
  }
  // the record is closed a little after the server has arrived
  await until(api, async () => rows(await newest(), 'events').every(({ result }) => result !== null))
  return newest()
}

export async function until(api: Api, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 80; tries += 1) {
    if (await holds()) return
    await api.wait(1_000)
  }
}
