import { type CloudConfig, StepFailure } from '../../engine/action/contract.ts'
import type { Json } from '../../engine/json.ts'
import { objectsIn, textAt } from './json-body.ts'

export interface CatalogService {
  readonly type: string
  readonly name: string
  readonly endpoints: readonly CatalogEndpoint[]
}

export interface CatalogEndpoint {
  /** `public`, `internal` or `admin`. */
  readonly interface: string
  readonly region: string
  readonly url: string
}

/** The catalog of a token; what is not in its form is left out. */
export function catalogIn(value: Json | undefined): readonly CatalogService[] {
  return objectsIn(value).map((service) => ({
    type: textAt(service, 'type') ?? '',
    name: textAt(service, 'name') ?? '',
    endpoints: objectsIn(service['endpoints']).flatMap((endpoint) => {
      const url = textAt(endpoint, 'url')
      if (!url || !URL.canParse(url)) return []
      const region = textAt(endpoint, 'region_id') ?? textAt(endpoint, 'region') ?? ''
      return [{ interface: (textAt(endpoint, 'interface') ?? '').replace(/URL$/, ''), region, url }]
    }),
  }))
}

/** The types under which a service has been listed over the years; the first is the official one. */
const aliases: readonly (readonly string[])[] = [
  ['identity', 'keystone', 'identityv3'],
  ['compute', 'nova', 'computev21', 'compute_legacy'],
  ['network', 'neutron', 'networking'],
  ['image', 'glance', 'imagev2'],
  ['block-storage', 'volumev3', 'block-store', 'cinder', 'volume', 'volumev2'],
  ['placement'],
  ['object-store', 'swift'],
  ['load-balancer', 'octavia'],
  ['key-manager', 'barbican'],
  ['orchestration', 'heat'],
  ['dns', 'designate'],
  ['baremetal', 'ironic', 'bare-metal'],
  ['shared-file-system', 'sharev2', 'share', 'manila'],
  ['container-infrastructure-management', 'container-infra', 'magnum'],
]

/** All the names of a service, the official one first; an unknown one has only its own. */
function namesOf(service: string): readonly string[] {
  const wanted = service.toLowerCase()
  return aliases.find((names) => names.includes(wanted)) ?? [wanted]
}

export const officialName = (service: string): string => namesOf(service)[0] ?? service

/** The address of a service as configured or as the catalog has it. Throws `service_missing`, `region_needed`. */
export function endpointOf(
  catalog: readonly CatalogService[],
  cloud: Pick<CloudConfig, 'region' | 'interface' | 'overrides' | 'name'>,
  service: string,
): string {
  const names = namesOf(service)
  const said = (what: string) =>
    names.map((name) => cloud.overrides[`${name.replaceAll('-', '_')}_${what}`]).find(Boolean)
  const override = said('endpoint_override')
  if (override) return override

  const wanted = { interface: said('interface') ?? cloud.interface, region: said('region_name') ?? cloud.region }
  const offered = names.flatMap((name) => catalog.filter(({ type }) => type === name))
  const reachable = offered.flatMap(({ endpoints }) => endpoints.filter((one) => one.interface === wanted.interface))
  const here = reachable.filter(({ region }) => wanted.region === undefined || region === wanted.region)
  const regions = [...new Set(here.map(({ region }) => region))]
  if (regions.length > 1)
    throw new StepFailure('region_needed', `\`${service}\` is in several regions: ${listed(regions)}`, {
      hint: 'choose one: `region_name` in clouds.yaml, `OS_REGION_NAME`, or `region` of the step',
    })
  const [found] = here
  if (found) return found.url
  throw missing(service, wanted, { catalog, offered })
}

function missing(
  service: string,
  wanted: { interface: string; region: string | undefined },
  { catalog, offered }: { catalog: readonly CatalogService[]; offered: readonly CatalogService[] },
): StepFailure {
  const elsewhere = offered.flatMap(({ endpoints }) => endpoints)
  const where = `as \`${wanted.interface}\`${wanted.region === undefined ? '' : ` in the region \`${wanted.region}\``}`
  const types = catalog.map(({ type }) => type)
  const hint =
    elsewhere.length > 0
      ? `it is there as ${listed(elsewhere.map(({ interface: face, region }) => `${face} in ${region}`))}`
      : types.length > 0
        ? `there are ${listed(types)}`
        : 'the catalog is empty: does the token have a project?'
  return new StepFailure('service_missing', `the catalog has no \`${service}\` ${where}`, {
    hint,
    detail: { service, services: types },
  })
}

const listed = (words: readonly string[]): string => [...new Set(words)].map((word) => `\`${word}\``).join(', ')
