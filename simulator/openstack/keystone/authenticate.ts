import { createHash } from 'node:crypto'
import { uuidOf } from '../../random.ts'
import { ApiFailure } from '../http/api.ts'
import type { KeystoneState, Named, Token, User } from './state.ts'

/** Of what is no more, Keystone says that it is not there. */
const missing = (what: string) => new ApiFailure(404, what)
const refused = () => new ApiFailure(401, 'The request you have made requires authentication.')

/** Makes a token from the body of `POST /v3/auth/tokens`. Throws `ApiFailure` 400, 401 or 404 as Keystone does. */
export function authenticate(keystone: KeystoneState, body: unknown, now: number): Token {
  const auth = at(body, 'auth')
  const methods = at(at(auth, 'identity'), 'methods')
  if (!Array.isArray(methods) || methods.length === 0) {
    throw new ApiFailure(400, "Invalid input for field 'identity': 'methods' is a required property")
  }
  const who = identify(keystone, at(auth, 'identity'), methods.map(String), now)
  const scope = who.scope ?? scopeOf(keystone, at(auth, 'scope'))
  const roles = who.roles ?? rolesIn(keystone, who.user.id, scope)
  if (scope && roles.length === 0) throw refused()
  const seed = `token/${keystone.tokens.size}/${now}`
  const token: Token = {
    id: `gAAAAAB${createHash('sha512').update(seed).digest('base64url')}`,
    user: who.user.id,
    methods: methods.map(String),
    auditId: uuidOf(seed).replaceAll('-', '').slice(0, 22),
    scope,
    roles,
    issuedAt: now,
    // a token made from a token does not live longer than that one
    expiresAt: Math.min(who.expiresAt ?? Number.POSITIVE_INFINITY, now + keystone.tokenLife),
  }
  keystone.tokens.set(token.id, token)
  return token
}

interface Caller {
  readonly user: User
  readonly scope?: Token['scope']
  readonly roles?: readonly string[]
  readonly expiresAt?: number
}

function identify(keystone: KeystoneState, identity: unknown, methods: readonly string[], now: number): Caller {
  if (methods.includes('application_credential')) return byCredential(keystone, at(identity, 'application_credential'))
  if (methods.includes('password')) return byPassword(keystone, at(at(identity, 'password'), 'user'))
  if (methods.includes('token')) return byToken(keystone, at(at(identity, 'token'), 'id'), now)
  throw refused()
}

function byPassword(keystone: KeystoneState, given: unknown): Caller {
  const user = findNamed(keystone.users, given, (user) => inDomain(keystone, user.domain_id, at(given, 'domain')))
  if (!user?.enabled || at(given, 'password') !== user.password) throw refused()
  return { user }
}

function byCredential(keystone: KeystoneState, given: unknown): Caller {
  const owner = findNamed(keystone.users, at(given, 'user'), () => true)
  const [id, who] = [at(given, 'id'), at(given, 'user')]
  if (id === undefined && !owner) throw missing(`Could not find user: ${String(at(who, 'id') ?? at(who, 'name'))}.`)
  const credential = keystone.applicationCredentials.find(
    ({ id, name, user }) => id === at(given, 'id') || (name === at(given, 'name') && user === owner?.id),
  )
  if (id !== undefined && !credential) throw missing(`Could not find Application Credential: ${String(id)}.`)
  const user = keystone.users.find((one) => one.id === credential?.user)
  if (!credential || !user || credential.secret !== at(given, 'secret')) throw refused()
  return { user, scope: { project: credential.project }, roles: credential.roles }
}

function byToken(keystone: KeystoneState, id: unknown, now: number): Caller {
  const token = keystone.tokens.get(String(id))
  const user = keystone.users.find((user) => user.id === token?.user)
  if (!token || !user) throw missing('Could not recognize Fernet token')
  if (token.expiresAt <= now) throw missing('Failed to validate token')
  return { user, expiresAt: token.expiresAt }
}

function scopeOf(keystone: KeystoneState, wanted: unknown): Token['scope'] {
  if (wanted === undefined || wanted === 'unscoped' || at(wanted, 'unscoped') !== undefined) return undefined
  if (at(wanted, 'system') !== undefined) return { system: 'all' }
  const asked = at(wanted, 'project')
  if (asked !== undefined) {
    const project = findNamed(keystone.projects, asked, ({ domain_id }) =>
      inDomain(keystone, domain_id, at(asked, 'domain')),
    )
    if (!project?.enabled) throw refused()
    return { project: project.id }
  }
  const domain = findNamed(keystone.domains, at(wanted, 'domain'), () => true)
  if (!domain) throw refused()
  return { domain: domain.id }
}

function rolesIn({ assignments, roles }: KeystoneState, user: string, scope: Token['scope']): string[] {
  if (!scope) return []
  const held = assignments.filter((one) => one.user === user && JSON.stringify(one.scope) === JSON.stringify(scope))
  return roles.filter(({ id }) => held.some(({ role }) => role === id)).map(({ name }) => name)
}

function findNamed<T extends Named>(all: readonly T[], given: unknown, fits: (one: T) => boolean): T | undefined {
  const id = at(given, 'id')
  return id === undefined
    ? all.find((one) => one.name === at(given, 'name') && fits(one))
    : all.find((one) => one.id === id)
}

function inDomain(keystone: KeystoneState, domain: string, given: unknown): boolean {
  return findNamed(keystone.domains, given, () => true)?.id === domain
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as { [key: string]: unknown })[key] : undefined
}
