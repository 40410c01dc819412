import { microZulu } from '../time.ts'
import { type Addresses, catalogueFor } from './catalogue.ts'
import { type KeystoneState, roleIdOf, type Token } from './state.ts'

/** A token as Keystone shows it. */
export function tokenView(
  keystone: KeystoneState,
  token: Token,
  { region, addresses, withCatalogue }: { region: string; addresses: Addresses; withCatalogue: boolean },
): unknown {
  const user = keystone.users.find(({ id }) => id === token.user)
  const domain = { id: 'default', name: 'Default' }
  return {
    token: {
      methods: token.methods,
      user: { domain, id: token.user, name: user?.name ?? '', password_expires_at: null },
      audit_ids: [token.auditId],
      expires_at: microZulu(token.expiresAt),
      issued_at: microZulu(token.issuedAt),
      ...scopeView(keystone, token),
      ...(token.scope && {
        roles: token.roles.map((name) => ({ id: roleIdOf(name), name })),
        ...(withCatalogue && { catalog: catalogueFor(token, region, addresses) }),
      }),
    },
  }
}

function scopeView({ projects, domains }: KeystoneState, { scope }: Token): object {
  if (!scope) return {}
  if ('system' in scope) return { system: { all: true } }
  if ('domain' in scope) return { domain: domains.find(({ id }) => id === scope.domain) }
  const project = projects.find(({ id }) => id === scope.project)
  return {
    project: { domain: { id: 'default', name: 'Default' }, id: scope.project, name: project?.name ?? '' },
    is_domain: false,
  }
}
