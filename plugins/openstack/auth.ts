import { type ActionContext, type CloudConfig, type HttpResponse, StepFailure } from '../../engine/action/contract.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { type CatalogService, catalogIn } from './catalog.ts'
import { failureFrom } from './failure.ts'
import { bodyOf, textAt } from './json-body.ts'
import { patiently } from './retry.ts'

/** A Keystone token and what came with it. */
export interface Token {
  readonly value: string
  /** By this machine's clock, milliseconds since 1970: from then on a new one is asked for. */
  readonly renewAt: number
  readonly catalog: readonly CatalogService[]
  /** The `token` object of Keystone's answer, without the catalog. */
  readonly about: JsonObject
  readonly projectId: string | undefined
  /** Milliseconds that Keystone took to issue it. */
  readonly took: number
}

/** Declares the values that must never be shown. */
export function keepSecrets(ctx: ActionContext, { auth }: CloudConfig): void {
  for (const name of ['password', 'token', 'application_credential_secret']) {
    const value = auth[name]
    if (value) ctx.secrets.add(`openstack ${name}`, value)
  }
}

/** A token of Keystone v3, by whatever the cloud says. Throws `StepFailure` `unauthorized`, and those of a call. */
export async function requestToken(ctx: ActionContext, cloud: CloudConfig, signal: AbortSignal): Promise<Token> {
  const url = `${identityUrl(cloud)}/auth/tokens`
  const request = { method: 'POST', url, body: authRequest(cloud), tls: cloud.tls, effect: 'read' } as const
  const { response } = await patiently(ctx, async () => ({ response: await ctx.http(request, signal) }), signal)
  if (isRefusal(response)) throw refused(cloud, failureFrom(response, { service: 'identity', method: 'POST', url }))
  if (response.status === 404) throw notKeystone(url, response)
  if (response.status >= 300) throw failureFrom(response, { service: 'identity', method: 'POST', url })
  const value = response.headers['x-subject-token']
  const body = bodyOf(response.text)
  const about = isObject(body) ? body['token'] : undefined
  if (!value || !isObject(about))
    throw new StepFailure('bad_answer', `\`${url}\` answered ${response.status}, but not with a token`, {
      hint: 'is `auth_url` the address of Keystone?',
    })
  ctx.secrets.add('openstack token', value)
  const { catalog, ...rest } = about
  return {
    value,
    renewAt: renewalOf(about, ctx.clock.now()),
    catalog: catalogIn(catalog),
    about: rest,
    projectId: textAt(about, 'project', 'id'),
    took: response.took,
  }
}

/** Keystone says of a token or a credential that is no more that it does not find it. */
function isRefusal({ status, text }: HttpResponse): boolean {
  if (status === 401) return true
  const body = bodyOf(text)
  return status === 404 && isObject(body) && isObject(body['error'])
}

function notKeystone(url: string, response: HttpResponse): StepFailure {
  const { message, detail } = failureFrom(response, { service: 'identity', method: 'POST', url })
  return new StepFailure('not_found', `\`${url}\` is not there: ${message}`, {
    hint: 'is `auth_url` the address of Keystone?',
    ...(detail !== undefined && { detail }),
  })
}

/** With or without `/v3` at its end, Keystone is the same. */
function identityUrl({ auth }: CloudConfig): string {
  const url = (auth['auth_url'] ?? '').replace(/\/+$/, '')
  return /\/v3$/.test(url) ? url : `${url}/v3`
}

/** Counted from now by how long it holds, not by its date: the clocks of the cloud and of this machine may differ. */
function renewalOf(about: JsonObject, now: number): number {
  const expires = Date.parse(textAt(about, 'expires_at') ?? '')
  if (Number.isNaN(expires)) return now + defaultLife
  const issued = Date.parse(textAt(about, 'issued_at') ?? '')
  const life = Number.isNaN(issued) ? expires - now : expires - issued
  return now + life - Math.min(margin, life / 10)
}

const defaultLife = 5 * 60_000
/** A token is replaced this long before its end, so that a slow call does not outlive it. */
const margin = 60_000

function refused({ name, authType, auth }: CloudConfig, { detail, message }: StepFailure): StepFailure {
  const credential = auth['application_credential_id'] ?? auth['application_credential_name']
  const who = {
    password: `the password of \`${auth['username'] ?? auth['user_id']}\``,
    token: 'the token',
    v3applicationcredential: `the application credential \`${credential}\``,
  }
  const hint = {
    password: 'check user, password and domain in clouds.yaml or `OS_*`: the password may also have expired',
    token: 'a token cannot be renewed: get a new one, or use a password',
    v3applicationcredential: 'it may have expired or been deleted: `openstack application credential list`',
  }
  return new StepFailure('unauthorized', `keystone refused ${who[authType]} for the cloud \`${name}\`: ${message}`, {
    hint: hint[authType],
    ...(detail !== undefined && { detail }),
  })
}

function authRequest(cloud: CloudConfig): Json {
  const scope = scopeOf(cloud)
  return { auth: { identity: identityOf(cloud), ...(scope !== undefined && { scope }) } }
}

function identityOf({ authType, auth }: CloudConfig): Json {
  switch (authType) {
    case 'password':
      return { methods: ['password'], password: { user: { ...userOf(auth), password: auth['password'] ?? '' } } }
    case 'token':
      return { methods: ['token'], token: { id: auth['token'] ?? '' } }
    case 'v3applicationcredential': {
      const id = auth['application_credential_id']
      const which = id ? { id } : { name: auth['application_credential_name'] ?? '', user: userOf(auth) }
      const secret = auth['application_credential_secret'] ?? ''
      return { methods: ['application_credential'], application_credential: { ...which, secret } }
    }
    default:
      throw new TypeError(`unknown authentication type ${String(authType satisfies never)}`)
  }
}

type Auth = CloudConfig['auth']

function userOf(auth: Auth): JsonObject {
  if (auth['user_id']) return { id: auth['user_id'] }
  return { name: auth['username'] ?? '', domain: domainOf(auth, 'user_domain') }
}

function domainOf(auth: Auth, prefix: string): JsonObject {
  const [id, name] = [auth[`${prefix}_id`], auth[`${prefix}_name`]]
  return id || !name ? { id: id ?? 'default' } : { name }
}

/** What the token is for. An application credential has its project already; a trust gives one. */
function scopeOf({ authType, auth }: CloudConfig): Json | undefined {
  if (authType === 'v3applicationcredential') return undefined
  if (auth['trust_id']) return { 'OS-TRUST:trust': { id: auth['trust_id'] } }
  if (auth['system_scope']) return { system: { all: true } }
  if (auth['project_id']) return { project: { id: auth['project_id'] } }
  if (auth['project_name']) return { project: { name: auth['project_name'], domain: domainOf(auth, 'project_domain') } }
  if (auth['domain_id'] || auth['domain_name']) return { domain: domainOf(auth, 'domain') }
  return undefined
}
