import { ApiFailure } from './api.ts'

/** What may stand in the query of a route, from a microversion on; before it, what is not known is ignored. */
export interface KnownQuery {
  readonly since: number
  readonly names: readonly string[]
  /** Names of this form pass too, and the refusal says so. */
  readonly form?: RegExp
}

/** Throws `ApiFailure` 400, naming what is not known. */
export function refuseUnknown(query: URLSearchParams, version: number, { since, names, form }: KnownQuery): void {
  if (version < since) return
  const unknown = [...new Set(query.keys())].filter((name) => !names.includes(name) && !form?.test(name)).sort()
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
