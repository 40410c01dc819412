import { cinderService } from './cinder/service.ts'
import type { CloudWorld } from './cloud.ts'
import { unavailable } from './conditions.ts'
import { glanceService } from './glance/service.ts'
import type { Service, ServiceName } from './http/api.ts'
import { type Served, serve } from './http/serve.ts'
import type { Addresses } from './keystone/catalogue.ts'
import { keystoneService } from './keystone/service.ts'
import { operator } from './keystone/state.ts'
import { neutronService } from './neutron/service.ts'
import { novaService } from './nova/service.ts'
import { placementService } from './placement/service.ts'

export interface ServedCloud {
  /** The content of a `clouds.yaml`: one cloud, `rehearsal`, with the operator's password. */
  readonly clouds: { readonly clouds: { readonly [name: string]: unknown } }
  /** `http://127.0.0.1:43210` of each service. */
  readonly origins: { readonly [service in ServiceName]?: string }
  close(): Promise<void>
}

/** Serves every OpenStack service of a world on loopback, each on a port of its own. */
export async function serveCloud(world: CloudWorld): Promise<ServedCloud> {
  const { cloud, clock } = world
  const { keystone, conditions, region } = cloud
  const served = new Map<ServiceName | 'nobody', Served>()
  const origin = (name: ServiceName | 'nobody') => served.get(name)?.origin ?? ''
  const addresses: Addresses = {
    of: (service, side) => origin(conditions.brokenEndpoints.has(`${service}/${side}`) ? 'nobody' : service),
  }
  const around = {
    clock,
    conditions,
    tokenOf(id: string) {
      const token = keystone.tokens.get(id)
      return token && token.expiresAt > clock.now() ? token : undefined
    },
    keystoneUrl: () => origin('keystone'),
  }
  const close = async () => void (await Promise.all([...served.values()].map((one) => one.close())))
  try {
    const services = [
      keystoneService(keystone, { clock, region, addresses }),
      ...[novaService, neutronService, cinderService, glanceService, placementService].map((make) => make(world)),
    ]
    for (const service of services) {
      served.set(service.name, await serve(service, around))
    }
    served.set('nobody', await serve(nobody, around))
  } catch (error) {
    await close()
    throw error
  }
  return {
    clouds: { clouds: { rehearsal: cloudEntry(`${origin('keystone')}/v3`, region) } },
    origins: Object.fromEntries([...served].map(([name, { origin }]) => [name, origin])),
    close,
  }
}

/** A proxy without servers behind it: where broken endpoints lead. */
const nobody: Service = {
  name: 'placement',
  routes: [],
  failure: () => unavailable(503),
  unknownPath: () => unavailable(503),
  unauthorized: () => unavailable(503),
}

const cloudEntry = (auth_url: string, region: string) => ({
  auth_type: 'password',
  auth: {
    auth_url,
    username: operator.user,
    password: operator.password,
    project_name: operator.project,
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  },
  region_name: region,
  interface: 'public',
  identity_api_version: 3,
})
