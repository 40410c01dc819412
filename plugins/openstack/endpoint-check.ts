import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, number, text, whole } from '../../engine/action/define.ts'
import type { Json } from '../../engine/json.ts'
import { addressOf } from './address.ts'
import { type CatalogEndpoint, type CatalogService, officialName } from './catalog.ts'
import { concurrently } from './concurrently.ts'
import { orNull, paramsOf } from './fields.ts'
import { type Session, sessionOf, tokenOf } from './session.ts'

const atOnce = 8
const defaultTimeout = 10

interface Target {
  readonly service: CatalogService
  readonly endpoint: CatalogEndpoint
}

const endpointCheck: WorkAction = {
  name: 'openstack.endpoint.check',
  summary: 'asks every endpoint of the catalog for its version document, and tells which answer and how fast',
  description:
    'An endpoint that does not answer is a row of the result, not a failure: `verify` or an assertion decides what it means. Any answer below 500 counts as one, 401 too, for no token is sent; but from compute or image, asked for one version, a choice of versions means that the path in the catalog is wrong.',
  effect: 'read',
  params: paramsOf({
    interfaces: listOf(
      text('One of them', { enum: ['public', 'internal', 'admin'] }),
      'Only these; that of the cloud unless told',
      {
        minItems: 1,
      },
    ),
    services: listOf(text('A type: `compute`', { minLength: 1 }), 'Only services of these types', { minItems: 1 }),
    timeout: number('Seconds an endpoint may take', { exclusiveMinimum: 0, maximum: 300, default: defaultTimeout }),
  }),
  result: closedObject({
    endpoints: listOf(
      closedObject({
        type: text('The type of its service'),
        name: text('The name of its service'),
        interface: text('`public`, `internal`, `admin`'),
        region: text('Its region'),
        url: text('What was asked'),
        ok: flag('Whether it answered, below 500, and as the service that should be there'),
        status: orNull(whole('HTTP status; null without an answer')),
        took: number('Milliseconds'),
        code: orNull(text('Why not: `connection_refused`, `tls_failed`, `timeout`, `server_error`, `wrong_path`, …')),
        error: orNull(text('The same in words')),
      }),
      'In the order of the catalog',
    ),
  }),
  examples: [{}, { interfaces: ['public', 'internal'], timeout: 5 }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { catalog, projectId } = await tokenOf(session, signal)
    const { cloud } = session.shared
    const interfaces = wordsIn(params['interfaces']) ?? [cloud.interface]
    const types = wordsIn(params['services'])
    const targets = catalog
      .filter(({ type }) => types?.includes(type) ?? true)
      .flatMap((service) => service.endpoints.map((endpoint): Target => ({ service, endpoint })))
      .filter(({ endpoint }) => interfaces.includes(endpoint.interface))
      .filter(({ endpoint }) => cloud.region === undefined || endpoint.region === cloud.region)
    const timeout = (typeof params['timeout'] === 'number' ? params['timeout'] : defaultTimeout) * 1_000
    const endpoints = await concurrently(targets, atOnce, signal, (target, linked) =>
      checked(session, target, { timeout, projectId }, linked),
    )
    return { endpoints }
  },
}

const wordsIn = (value: Json | undefined): readonly string[] | undefined =>
  Array.isArray(value) ? value.map(String) : undefined

async function checked(
  { ctx, shared }: Session,
  { service, endpoint }: Target,
  { timeout, projectId }: { timeout: number; projectId: string | undefined },
  signal: AbortSignal,
): Promise<Json> {
  const url = askedOf(service, endpoint, projectId)
  const about = { type: service.type, name: service.name, interface: endpoint.interface, region: endpoint.region, url }
  const began = ctx.clock.now()
  try {
    const { status, took } = await ctx.http({ method: 'GET', url, timeout, tls: shared.cloud.tls }, signal)
    return { ...about, status, took, ...judged(status, service) }
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const took = ctx.clock.now() - began
    return { ...about, ok: false, status: null, took, code: error.code, error: error.message }
  }
}

/** The version document; of an object store the account as it stands, for with less it calls a good address bad. */
function askedOf({ type }: CatalogService, { url }: CatalogEndpoint, projectId: string | undefined): string {
  return officialName(type) === 'object-store' ? url : addressOf(url, type, projectId).versionDocument
}

/** Compute and image services offer their versions, with 300, wherever they know no path; asked for one, they do not. */
function judged(status: number, { type }: CatalogService): { ok: boolean; code: string | null; error: string | null } {
  if (status >= 500) return { ok: false, code: 'server_error', error: `answered ${status}` }
  if (status !== 300 || !['compute', 'image'].includes(officialName(type))) return { ok: true, code: null, error: null }
  const error = 'answered 300 and offers its versions: the path before the version is wrong in the catalog'
  return { ok: false, code: 'wrong_path', error }
}

export const endpointCheckActions: readonly WorkAction[] = [endpointCheck]
