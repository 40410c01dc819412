import { eventually } from './lab.ts'
import type { Answer, Cloud } from './openstack.ts'

export interface Furniture {
  readonly server: string
  readonly network: string
  readonly router: string
  readonly volume: string
  remove(signal: AbortSignal): Promise<void>
}

/** One of each in the lab's cloud, so that no list is empty: network, subnet, router, server with a port, volume, snapshot. */
export async function furnish(cloud: Cloud, signal: AbortSignal): Promise<Furniture> {
  const undo: ((signal: AbortSignal) => Promise<unknown>)[] = []
  const ask = (service: string, method: string, path: string, body?: unknown, until = signal) =>
    cloud.ask(service, method, path, until, { body, headers: { 'x-openstack-nova-api-version': '2.74' } })
  const make = async (service: string, path: string, kind: string, wanted: object, kinds = `/${kind}s`) => {
    const made = await ask(service, 'POST', `${path}${kinds}`, { [kind]: wanted })
    const { id } = bodyOf(made, kind)
    // asked again each time: a network is not deleted while a port of a server that goes is still in it
    const gone = async (until: AbortSignal) => {
      await ask(service, 'DELETE', `${path}${kinds}/${id}`, undefined, until)
      return (await ask(service, 'GET', `${path}${kinds}/${id}`, undefined, until)).status === 404 || undefined
    }
    undo.unshift((until) => eventually(() => gone(until), until))
    return id as string
  }
  const remove = async (until: AbortSignal) => {
    for (const step of undo) await step(until)
  }
  try {
    const network = await make('network', '/v2.0', 'network', { name: 'lab-net' })
    const subnet = await make('network', '/v2.0', 'subnet', { network_id: network, ip_version: 4, cidr: '10.9.0.0/24' })
    const router = await make('network', '/v2.0', 'router', { name: 'lab-router' })
    await ask('network', 'PUT', `/v2.0/routers/${router}/add_router_interface`, { subnet_id: subnet })
    const interfaceGone = `/v2.0/routers/${router}/remove_router_interface`
    undo.unshift((until) => ask('network', 'PUT', interfaceGone, { subnet_id: subnet }, until))
    const volume = await make('volumev3', '', 'volume', { name: 'lab-volume', size: 1 })
    const status = async (service: string, path: string, kind: string) =>
      bodyOf(await ask(service, 'GET', path), kind).status
    await eventually(
      async () => (await status('volumev3', `/volumes/${volume}`, 'volume')) === 'available' || undefined,
      signal,
    )
    const snapshot = await make('volumev3', '', 'snapshot', { name: 'lab-snapshot', volume_id: volume })
    await eventually(async () => {
      const now = await status('volumev3', `/snapshots/${snapshot}`, 'snapshot')
      return now === 'available' || now === 'error' || undefined
    }, signal)
    const flavors = (await ask('compute', 'GET', '/flavors')).body as { flavors: { id: string; name: string }[] }
    const images = (await ask('image', 'GET', '/v2/images?name=tiny')).body as { images: { id: string }[] }
    const server = await make('compute', '', 'server', {
      name: 'lab-server',
      flavorRef: flavors.flavors.find(({ name }) => name === 'm1.nano')?.id,
      imageRef: images.images[0]?.id,
      networks: [{ uuid: network }],
    })
    await eventually(
      async () => (await status('compute', `/servers/${server}`, 'server')) !== 'BUILD' || undefined,
      signal,
    )
    return { server, network, router, volume, remove }
  } catch (error) {
    await remove(AbortSignal.timeout(200_000))
    throw error
  }
}

function bodyOf(answer: Answer, kind: string): { id?: string; status?: string } {
  const found = (answer.body as { [kind: string]: { id: string; status: string } })[kind]
  if (answer.status >= 300 || !found) throw new Error(`no ${kind}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return found
}
