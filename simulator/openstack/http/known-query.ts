import { ApiFailure } from './api.ts'

/** What may stand in the query of a route, from a microversion on; before it, what is not known is ignored. */
export interface KnownQuery {
  readonly since: number
  readonly names: readonly string[]
  /** Names that are known from a later microversion on. */
  readonly later?: { readonly [name: string]: number }
  /** Names of this form pass too, and the refusal says so. */
  readonly form?: RegExp
}

/** A name that the real service has a meaning for and the rehearsal has not is told, and never passed over. */
export function refuseUnrehearsed(query: URLSearchParams, names: readonly string[]): void {
  const found = names.filter((name) => query.has(name))
  if (found.length === 0) return
  const listed = found.map((name) => `\`${name}\``).join(', ')
  const message = `${listed} ${found.length > 1 ? 'have' : 'has'} a meaning in a real cloud, and none in this rehearsal`
  throw new ApiFailure(501, message, { kind: 'HTTPNotImplemented' })
}

/** Throws `ApiFailure` 400, naming what is not known. */
export function refuseUnknown(
  query: URLSearchParams,
  version: number,
  { since, names, later = {}, form }: KnownQuery,
): void {
  if (version < since) return
  const known = (name: string) => names.includes(name) || (later[name] ?? 1000) <= version || form?.test(name)
  const unknown = [...new Set(query.keys())].filter((name) => !known(name)).sort()
  if (unknown.length === 0) return
  const listed = unknown.map((name) => `'${name}'`).join(', ')
  const several = unknown.length > 1
  throw new ApiFailure(
    400,
    form
      ? `${listed} ${several ? 'do' : 'does'} not match any of the regexes: '${form.source}'`
      : `Additional properties are not allowed (${listed} ${several ? 'were' : 'was'} unexpected)`,
  )
}
