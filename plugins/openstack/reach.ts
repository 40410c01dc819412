import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, text } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { type CatalogService, endpointOf } from './catalog.ts'
import { orNull, paramsOf } from './fields.ts'
import { textAt } from './json-body.ts'
import { type Session, sessionOf, tokenOf } from './session.ts'

/** Whether the actions of a runbook would be let in: asks for a token as they do, and finds their services in its catalog. */
export const reach: WorkAction = {
  name: 'openstack.cloud.reach',
  summary: 'asks for a token, and looks for services in its catalog',
  effect: 'read',
  params: paramsOf({ services: listOf(text('A service'), 'What is needed') }),
  result: closedObject({
    cloud: text('Its name'),
    region: orNull(text('The region that is used, where one is chosen')),
    user: text('Who the token is for'),
    project: orNull(text('The project it is for')),
    problems: listOf(
      closedObject({ message: text('What is wrong'), hint: orNull(text('What to try')) }),
      'What the token does not lead to',
    ),
  }),
  examples: [],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { catalog, about } = await tokenOf(session, signal)
    const { name, region } = session.shared.cloud
    const { project } = about
    return {
      cloud: name,
      region: region ?? null,
      user: textAt(about, 'user', 'name') ?? '',
      project: isObject(project) ? (textAt(project, 'name') ?? null) : null,
      problems: problemsOf(catalog, session, params['services'] as readonly string[]),
    }
  },
}

function problemsOf(catalog: readonly CatalogService[], { shared }: Session, services: readonly string[]): Json {
  const { cloud } = shared
  const regions = [...new Set(catalog.flatMap(({ endpoints }) => endpoints.map(({ region }) => region)))].sort()
  // each service would say the same
  if (cloud.region !== undefined && regions.length > 0 && !regions.includes(cloud.region)) {
    const there = regions.map((region) => `\`${region}\``).join(', ')
    return [{ message: `its catalog has no region \`${cloud.region}\``, hint: `there are ${there}` }]
  }
  return services.flatMap((service): Json[] => {
    try {
      endpointOf(catalog, cloud, service)
      return []
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error
      return [{ message: error.message, hint: error.hint ?? null }]
    }
  })
}

/** The service that an action works with, by the first word of what it works on; Keystone is asked in any case. */
const services: { readonly [noun: string]: string } = {
  aggregate: 'compute',
  allocation: 'placement',
  compute: 'compute',
  dhcp: 'network',
  flavor: 'compute',
  floating: 'network',
  hypervisor: 'compute',
  image: 'image',
  instance: 'compute',
  ip: 'network',
  keypair: 'compute',
  migration: 'compute',
  network: 'network',
  port: 'network',
  resource: 'placement',
  router: 'network',
  security: 'network',
  server: 'compute',
  subnet: 'network',
  volume: 'block-storage',
}

/** The services that an action needs with these parameters, as far as they are known before it runs. */
export function servicesOf(action: string, params: JsonObject): readonly string[] {
  const [family, noun = '', verb = ''] = action.split('.')
  if (family !== 'openstack') return []
  if (noun === 'api') return typeof params['service'] === 'string' ? [params['service']] : []
  const own = services[noun.split('_')[0] ?? '']
  return [...(own === undefined ? [] : [own]), ...(/_volume$/.test(verb) ? ['block-storage'] : [])]
}
