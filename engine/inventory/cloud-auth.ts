import type { CloudConfig } from '../action/contract.ts'
import { closest } from '../diagnostic.ts'
import { RunbookError } from '../error.ts'
import { isObject, type JsonObject } from '../json.ts'
import { plainText } from './cloud-merge.ts'

interface CloudName {
  readonly name: string
  /** The cloud comes from `OS_*` variables: say their names, not those of the file. */
  readonly fromEnvironment: boolean
  /** A vendor's profile that was named and is not known. */
  readonly missingProfile?: string | undefined
}

type Auth = { readonly [name: string]: string }

/**
 * How a cloud is entered, checked as far as it can be without asking: nothing missing, nothing of Keystone v2.
 * Fields stand inside `auth` or, as the `OS_*` variables do, beside it; beside wins, as in openstacksdk.
 *
 * Throws `RunbookError`: `cloud_auth_type`, `cloud_identity_v2`, `cloud_incomplete`.
 */
export function authOf(values: JsonObject, cloud: CloudName): Pick<CloudConfig, 'authType' | 'auth'> {
  const auth = fieldsOf(values)
  const authType = typeOf(values, auth, cloud)
  const filled = withDomains(withAddress(auth, values), authType)
  if (/\/v2\.0\/?$/.test(filled['auth_url'] ?? ''))
    throw identityV2(cloud, `\`${named('auth_url', cloud)}\` ends in \`/v2.0\``)
  const missing = missingFields(authType, filled)
  if (missing.length > 0) throw incomplete(missing, cloud)
  return { authType, auth: filled }
}

const fieldNames = [
  'auth_url',
  'username',
  'user_id',
  'password',
  'user_domain_id',
  'user_domain_name',
  'project_id',
  'project_name',
  'project_domain_id',
  'project_domain_name',
  'domain_id',
  'domain_name',
  'default_domain_id',
  'default_domain_name',
  'default_domain',
  'system_scope',
  'trust_id',
  'token',
  'application_credential_id',
  'application_credential_name',
  'application_credential_secret',
] as const

const oldNames: { readonly [name: string]: readonly string[] } = {
  username: ['user_name'],
  project_id: ['tenant_id'],
  project_name: ['tenant_name'],
  token: ['auth_token'],
}

function fieldsOf(values: JsonObject): Auth {
  const inside = isObject(values['auth']) ? values['auth'] : {}
  const found = fieldNames.flatMap((name) => {
    const places = [name, ...(oldNames[name] ?? [])]
    const text = [values, inside].flatMap((from) => places.map((place) => plainText(from[place]))).find(Boolean)
    return text === undefined ? [] : [[name, text] as const]
  })
  return Object.fromEntries(found)
}

const authTypes: { readonly [written: string]: CloudConfig['authType'] } = {
  password: 'password',
  v3password: 'password',
  token: 'token',
  v3token: 'token',
  v3applicationcredential: 'v3applicationcredential',
}

/** Without a word: what the fields are good for. */
function typeOf(values: JsonObject, auth: Auth, cloud: CloudName): CloudConfig['authType'] {
  const written = plainText(values['auth_type']) ?? plainText(values['auth_plugin'])
  if (written === undefined) {
    if (auth['application_credential_secret']) return 'v3applicationcredential'
    return auth['token'] && !auth['password'] ? 'token' : 'password'
  }
  const type = authTypes[written]
  if (type) return type
  if (written.startsWith('v2')) throw identityV2(cloud, `\`${named('auth_type', cloud)}\` is \`${written}\``)
  const known = ['password', 'v3applicationcredential', 'token']
  const near = closest(written, known)
  throw new RunbookError('cloud_auth_type', `${the(cloud)} has the authentication type \`${written}\``, {
    hint: near ? `did you mean \`${near}\`?` : `there are ${known.map((name) => `\`${name}\``).join(', ')}`,
  })
}

/** Vendors write `https://iam.{region_name}.example`. */
function withAddress(auth: Auth, values: JsonObject): Auth {
  const address = auth['auth_url']
  if (!address) return auth
  return { ...auth, auth_url: address.replaceAll(/\{(\w+)\}/g, (whole, name) => plainText(values[name]) ?? whole) }
}

/** A name needs a domain: its own, else the common one, else the domain with the id `default`. */
function withDomains(auth: Auth, authType: CloudConfig['authType']): Auth {
  const { default_domain_id, default_domain_name, default_domain, domain_id, domain_name, ...rest } = auth
  const projectScoped = rest['project_id'] !== undefined || rest['project_name'] !== undefined
  // `domain_*` is what both are in, beside a project; without one it is what the token is for
  const shared = projectScoped ? { id: domain_id, name: domain_name } : {}
  const commonId = shared.id ?? default_domain_id ?? default_domain
  const commonName = shared.name ?? default_domain_name
  const common = (kind: 'user' | 'project'): Auth => {
    if (rest[`${kind}_domain_id`] ?? rest[`${kind}_domain_name`]) return {}
    if (commonId) return { [`${kind}_domain_id`]: commonId }
    return commonName ? { [`${kind}_domain_name`]: commonName } : { [`${kind}_domain_id`]: 'default' }
  }
  return {
    ...rest,
    ...(rest['username'] !== undefined && !rest['user_id'] && common('user')),
    ...(rest['project_name'] !== undefined && !rest['project_id'] && common('project')),
    ...(!projectScoped && authType !== 'v3applicationcredential' && domain_id && { domain_id }),
    ...(!projectScoped && authType !== 'v3applicationcredential' && domain_name && { domain_name }),
  }
}

/** Each missing thing, as the names of which one is enough. */
function missingFields(authType: CloudConfig['authType'], auth: Auth): readonly (readonly string[])[] {
  const user = ['username', 'user_id']
  const credential = ['application_credential_id', 'application_credential_name']
  const needs: { readonly [type in CloudConfig['authType']]: readonly (readonly string[])[] } = {
    password: [['auth_url'], user, ['password']],
    token: [['auth_url'], ['token']],
    // the id says whose it is; a name does not
    v3applicationcredential: [
      ['auth_url'],
      credential,
      ['application_credential_secret'],
      ...(auth['application_credential_id'] ? [] : [user]),
    ],
  }
  return needs[authType].filter((names) => !names.some((name) => auth[name]))
}

function incomplete(missing: readonly (readonly string[])[], cloud: CloudName): RunbookError {
  const words = missing.map((names) => names.map((name) => `\`${named(name, cloud)}\``).join(' or '))
  const secret = missing.flat().find((name) => ['password', 'token', 'application_credential_secret'].includes(name))
  const hint = cloud.missingProfile
    ? `its profile \`${cloud.missingProfile}\` is not in clouds-public.yaml`
    : secret && !cloud.fromEnvironment
      ? `\`${secret}\` may also stand in secure.yaml, beside clouds.yaml`
      : undefined
  return new RunbookError('cloud_incomplete', `${the(cloud)} has no ${words.join(', and no ')}`, { hint })
}

function identityV2(cloud: CloudName, why: string): RunbookError {
  return new RunbookError('cloud_identity_v2', `${the(cloud)} asks for Keystone v2: ${why}`, {
    hint: 'Keystone v2 is gone: write the address that ends in `/v3`, with user and project domains',
  })
}

const the = ({ name, fromEnvironment }: CloudName): string =>
  fromEnvironment ? 'the cloud of the `OS_*` variables' : `the cloud \`${name}\``

const named = (field: string, { fromEnvironment }: CloudName): string =>
  fromEnvironment ? `OS_${field.toUpperCase()}` : field
