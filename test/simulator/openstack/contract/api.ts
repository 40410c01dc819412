/** An OpenStack to make statements about: the rehearsal cloud, or a real one. Calls carry an administrator's token. */
export interface Api {
  /** Relative to the root of the service: `/v2.1/servers`. */
  get(service: string, path: string, headers?: Headers): Promise<Answer>
  post(service: string, path: string, body: unknown, headers?: Headers): Promise<Answer>
  call(method: string, service: string, path: string, body?: unknown, headers?: Headers): Promise<Answer>
  /** Lets the cloud have its time. */
  wait(ms: number): Promise<void>
  /** The id of the project of the token. */
  readonly project: string
  readonly token: string
}

/** `X-Auth-Token: ''` sends none. */
export type Headers = { readonly [name: string]: string }

export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string }
  /** Parsed when it is JSON. */
  readonly body: unknown
}

/** The parts of a test runner that the statements need. */
export interface Runner {
  describe(name: string, body: () => void): void
  test(name: string, body: () => Promise<void>): void
}

/** Walks into parsed JSON: `at(body, 'servers', 0, 'id')`. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value
  for (const key of path) found = (found as { [key: string | number]: unknown } | undefined)?.[key]
  return found
}

export const rows = (value: unknown, ...path: readonly (string | number)[]): { readonly [key: string]: unknown }[] =>
  (at(value, ...path) ?? []) as { readonly [key: string]: unknown }[]

export const keysOf = (value: unknown): string[] => Object.keys((value ?? {}) as object).sort()

export const words = (text: string): string[] => text.trim().split(/\s+/).sort()

export const compute = (version: string): Headers => ({ 'OpenStack-API-Version': `compute ${version}` })
export const volume = (version: string): Headers => ({ 'OpenStack-API-Version': `volume ${version}` })
export const placement = (version: string): Headers => ({ 'OpenStack-API-Version': `placement ${version}` })
export const nobody: Headers = { 'X-Auth-Token': '' }
