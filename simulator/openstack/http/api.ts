import type { Token } from '../keystone/state.ts'

/** One call, as a route's handler sees it. */
export interface ApiRequest {
  readonly method: string
  /** Decoded parts of the path: `/servers/:id` gives `id`. */
  readonly params: { readonly [name: string]: string }
  readonly query: URLSearchParams
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  readonly body: unknown
  /** The minor number of the microversion the call is answered with: 53 for 2.53. */
  readonly version: number
  /** Whose call it is. Routes that need no token get a token without roles. */
  readonly token: Token
  /** `http://127.0.0.1:43210`. */
  readonly origin: string
  /** The path as it was asked for, without the query. */
  readonly path: string
  readonly id: string
}

export interface Reply {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
  /** An object is sent as JSON, a string as it is; without one the answer is empty. */
  readonly body?: unknown
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** `/servers/:id/action`, below the service's prefix. */
  readonly path: string
  /** Answers without a token: version documents, health, the token call. */
  readonly open?: true
  /** Only for the role `admin`: the name of the policy, for the refusal. */
  readonly admin?: string
  /** First and last microversion that knows the route. */
  readonly since?: number
  readonly until?: number
  handle(request: ApiRequest): Reply | Promise<Reply>
}

/** An answer that is an error; each service wears it in its own shape. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure'
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** The kind of error where a service names it: `PortNotFound`. */
  readonly kind: string | undefined

  constructor(
    status: number,
    message: string,
    options: { kind?: string; headers?: { readonly [name: string]: string } } = {},
  ) {
    super(message)
    this.status = status
    this.kind = options.kind
    this.headers = options.headers ?? {}
  }
}

export const serviceNames = ['keystone', 'nova', 'neutron', 'cinder', 'glance', 'placement'] as const
export type ServiceName = (typeof serviceNames)[number]

/** One OpenStack service: its routes and its manners. */
export interface Service {
  readonly name: ServiceName
  readonly routes: readonly Route[]
  readonly microversions?: Microversions
  /** Where a path may also hold the caller's project, and is the same without it: `/v3/{project}/volumes`. */
  readonly projectInPath?: RegExp
  /** Refuses a project in the path that is not the token's. */
  checkProject?(project: string, token: Token): void
  /** The body of an error. */
  failure(failure: ApiFailure, request: { readonly id: string; readonly version: number }): Reply
  /** The answer to a path the service does not have. */
  unknownPath(accept: string, id: string): Reply
  /** The answer to a call without a token that holds. */
  unauthorized(keystone: string, id: string): Reply
}

export interface Microversions {
  /** The word in `OpenStack-API-Version: compute 2.53`. */
  readonly service: 'compute' | 'volume' | 'placement'
  /** Nova's older header. */
  readonly legacyHeader?: string
  readonly major: number
  readonly min: number
  readonly max: number
}

export const json = (status: number, body: unknown, headers: { readonly [name: string]: string } = {}): Reply => ({
  status,
  headers: { 'Content-Type': 'application/json', ...headers },
  body,
})
