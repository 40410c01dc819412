import type { Token } from '../keystone/state.ts'
import type { KnownQuery } from './known-query.ts'

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

/** The body of a call that brought bytes: `application/octet-stream`. */
export interface Uploaded {
  readonly size: number
  readonly md5: string
  readonly sha512: string
}

export interface Reply {
  readonly status: number
  readonly headers?: { readonly [name: string]: string }
  /** An object is sent as JSON, a string as it is; without one the answer is empty. */
  readonly body?: unknown
  /** The headers that tell the id of the call, where they are not those of the service. */
  readonly idHeaders?: readonly string[]
}

/** The header every service tells the id of a call in; Nova's and Cinder's own code adds the second. */
export const idHeader = 'X-Openstack-Request-Id'
export const idHeaders = [idHeader, 'X-Compute-Request-Id'] as const

/** What a service knows of a call that never came as far as a route. */
export interface Stranger {
  /** The `Accept` header; '' without one. */
  readonly accept: string
  readonly origin: string
  readonly path: string
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD'
  /** `/servers/:id/action`, below the service's prefix. */
  readonly path: string
  /** Answers without a token: version documents, health, the token call. */
  readonly open?: true
  /** Answered by what stands in front of the API: no microversion is read or told. */
  readonly outside?: true
  /** Only for the role `admin`: the name of the policy, for the refusal. */
  readonly admin?: string
  /** First and last microversion that knows the route. */
  readonly since?: number
  readonly until?: number
  /** Refuses what else stands in the query. */
  readonly query?: KnownQuery
  /** Names in the query that have a meaning in the real service and none here: they are refused. */
  readonly unrehearsed?: readonly string[]
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
  /** The headers that tell the id of a call; only `X-Openstack-Request-Id` unless told. */
  readonly idHeaders?: readonly string[]
  /** Whether answers have a `Date`; some web servers leave it to the balancer before them. */
  readonly dated?: false
  /** Below it nobody without a token learns that there is no such path; everywhere, unless told. */
  readonly guarded?: RegExp
  /** Where a path may also hold the caller's project, and is the same without it: `/v3/{project}/volumes`. */
  readonly projectInPath?: RegExp
  /** Refuses a project in the path that is not the token's. */
  checkProject?(project: string, token: Token): void
  /** The body of an error. */
  failure(failure: ApiFailure, request: FailedRequest): Reply
  /** The answer to a path the service does not have; without it, an error like any other. */
  unknownPath?(stranger: Stranger): Reply
  /** The answer to a call without a token that holds. */
  unauthorized(keystone: string, stranger: Stranger): Reply
}

export interface FailedRequest {
  readonly id: string
  readonly version: number
  /** The `Accept` header; '' without one. */
  readonly accept: string
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
