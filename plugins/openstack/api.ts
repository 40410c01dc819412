import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { addressOf } from './address.ts'
import { call, type Query } from './call.ts'
import { endpointOf } from './catalog.ts'
import { paramsOf } from './fields.ts'
import { withoutSecrets } from './json-body.ts'
import { listAll, pageSize } from './paging.ts'
import { type Session, sessionOf, tokenOf } from './session.ts'

const shownHeaders = [
  'content-type',
  'date',
  'etag',
  'location',
  'openstack-api-version',
  'x-openstack-request-id',
  'x-compute-request-id',
]

const apiGet: WorkAction = {
  name: 'openstack.api.get',
  summary: 'reads anything from a service, for what has no action of its own',
  description:
    'The path is below the address of the service: `/servers/detail` for compute. Fields in which services hand out secrets are left out of the body.',
  effect: 'read',
  params: paramsOf(
    {
      service: text('The service, by its type: `compute`, `network`, `load-balancer`', { minLength: 1 }),
      path: text('What to read: `/os-keypairs`', { minLength: 1 }),
      query: {
        type: 'object',
        description: 'The query of the address',
        additionalProperties: {
          type: ['string', 'number', 'boolean', 'array'],
          items: { type: 'string' },
          description: 'A value, or a list for a name that comes several times',
        },
      },
      microversion: text('The microversion to ask for: `2.92`', { pattern: '^\\d+\\.\\d+$' }),
      paginate: text('The name of the list in the answer: all its pages are read, and `body` holds it whole', {
        minLength: 1,
      }),
    },
    ['service', 'path'],
  ),
  result: closedObject({
    status: whole('HTTP status'),
    headers: {
      type: 'object',
      description: 'Of the answer, with lower-case names; only those that say something about it',
      additionalProperties: { type: 'string' },
    },
    body: anything('What came, as JSON; null for nothing or something else'),
  }),
  examples: [
    { service: 'compute', path: '/os-keypairs' },
    { service: 'network', path: '/floatingips', query: { status: 'ACTIVE' }, paginate: 'floatingips' },
  ],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const service = String(params['service'])
    const version = params['microversion']
    const request = {
      service,
      ...(await placeOf(session, service, params, signal)),
      ...(typeof version === 'string' && { microversion: { min: version, max: version } }),
    }
    const list = params['paginate']
    if (typeof list === 'string') {
      const query = { limit: pageSize, ...request.query }
      const { items, first } = await listAll(session, { ...request, query, collection: list }, signal)
      return { status: first.status, headers: shown(first.headers), body: { [list]: items.map(withoutSecrets) } }
    }
    const { status, headers, body } = await call(session, request, signal)
    return { status, headers: shown(headers), body: withoutSecrets(body ?? null) }
  },
}

/**
 * The path below the service, from what was written: `/servers`, `/v2.1/servers`, or the whole address of the service.
 * The token goes with the request, so nothing may lead it elsewhere. Throws `foreign_address`.
 */
async function placeOf(
  session: Session,
  service: string,
  { path, query }: JsonObject,
  signal: AbortSignal,
): Promise<{ path: string; query: Query }> {
  const token = await tokenOf(session, signal)
  const { base, version } = addressOf(
    endpointOf(token.catalog, session.shared.cloud, service),
    service,
    token.projectId,
  )
  const written = String(path)
  const foreign = (why: string) =>
    new StepFailure('foreign_address', `\`${written}\` ${why}`, {
      hint: `write what stands after \`${new URL(base).pathname}\`, as in \`/servers\``,
    })
  const whole = /^[a-z][a-z0-9+.-]*:/i.test(written)
  const inner = whole ? written : `${base}/${withoutVersion(written.replace(/^\/+/, ''), version)}`
  if (!URL.canParse(inner)) throw foreign('is no path')
  const url = new URL(inner)
  const within = new URL(base)
  if (url.origin !== within.origin) throw foreign(`is not on \`${within.host}\``)
  if (url.username || url.password || !`${url.pathname}/`.startsWith(`${within.pathname.replace(/\/$/, '')}/`))
    throw foreign(`leads out of \`${service}\``)
  const named = Object.fromEntries([...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name)]))
  return {
    path: url.pathname.slice(within.pathname.replace(/\/$/, '').length),
    query: { ...named, ...(query as Query | undefined) },
  }
}

/** API references write the version into their paths. */
function withoutVersion(path: string, version: string): string {
  return version !== '' && path.startsWith(`${version}/`) ? path.slice(version.length + 1) : path
}

function shown(headers: { readonly [name: string]: string }): JsonObject {
  return Object.fromEntries(
    shownHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  )
}

export const apiActions: readonly WorkAction[] = [apiGet]
