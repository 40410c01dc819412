import { hexIdOf, uuidOf } from '../../random.ts'
import { hour } from '../time.ts'

export interface Named {
  readonly id: string
  readonly name: string
}

export interface Project extends Named {
  readonly domain_id: string
  readonly description: string
  enabled: boolean
}

export interface User extends Named {
  readonly domain_id: string
  readonly password: string
  enabled: boolean
}

export interface Assignment {
  readonly user: string
  readonly role: string
  /** A project's id, or the whole system. */
  readonly scope: { readonly project: string } | { readonly system: 'all' }
}

export interface ApplicationCredential extends Named {
  readonly user: string
  readonly project: string
  readonly secret: string
  readonly roles: readonly string[]
}

export interface Token {
  readonly id: string
  readonly user: string
  readonly methods: readonly string[]
  readonly auditId: string
  /** Nothing for an unscoped token. */
  readonly scope: { readonly project: string } | { readonly domain: string } | { readonly system: 'all' } | undefined
  /** Names of roles. */
  readonly roles: readonly string[]
  readonly issuedAt: number
  readonly expiresAt: number
}

/** Stands for the caller where a route asks for none. */
export const noToken: Token = {
  id: '',
  user: '',
  methods: [],
  auditId: '',
  scope: undefined,
  roles: [],
  issuedAt: 0,
  expiresAt: 0,
}

/** The project a token is for; '' when it is for none. */
export const projectOf = ({ scope }: Token): string => (scope && 'project' in scope ? scope.project : '')

export interface KeystoneState {
  readonly domains: readonly Named[]
  readonly projects: Project[]
  readonly users: User[]
  readonly roles: readonly Named[]
  readonly assignments: Assignment[]
  readonly applicationCredentials: ApplicationCredential[]
  readonly tokens: Map<string, Token>
  /** Milliseconds. */
  tokenLife: number
  /** Whether nobody is told what projects there are. */
  projectsHidden: boolean
}

/** The projects with servers in them, and what each is. */
export const tenants = {
  shop: 'The web shop',
  analytics: 'Reports and dashboards',
  ci: 'Build machines',
} as const
export type Tenant = keyof typeof tenants

export const projectIdOf = (name: string): string => hexIdOf(`project/${name}`)
export const userIdOf = (name: string): string => hexIdOf(`user/${name}`)
export const roleIdOf = (name: string): string => hexIdOf(`role/${name}`)

/** The operator's account of every rehearsal. */
export const operator = { user: 'admin', password: 'rehearsal', project: 'admin' } as const

/** The application credential that works as `operator`. */
export const operatorCredential = { id: hexIdOf('credential/operator'), secret: 'rehearsal-secret' } as const

const serviceUsers = ['nova', 'neutron', 'cinder', 'glance', 'placement']

export function createKeystone(): KeystoneState {
  const project = (name: string, description: string): Project => ({
    id: projectIdOf(name),
    name,
    domain_id: 'default',
    description,
    enabled: true,
  })
  const user = (name: string, password: string): User => ({
    id: userIdOf(name),
    name,
    domain_id: 'default',
    password,
    enabled: true,
  })
  const names = Object.keys(tenants)
  return {
    domains: [{ id: 'default', name: 'Default' }],
    projects: [
      project('admin', 'Bootstrap project for initializing the cloud.'),
      project('service', ''),
      ...Object.entries(tenants).map(([name, description]) => project(name, description)),
    ],
    users: [
      user(operator.user, operator.password),
      ...serviceUsers.map((name) => user(name, uuidOf(`password/${name}`))),
      ...names.map((name) => user(`${name}-owner`, 'rehearsal')),
    ],
    roles: ['admin', 'member', 'reader', 'service'].map((name) => ({ id: roleIdOf(name), name })),
    assignments: [
      ...['admin', 'member', 'reader'].map((role) => assigned('admin', role, 'admin')),
      { user: userIdOf('admin'), role: roleIdOf('admin'), scope: { system: 'all' } },
      ...serviceUsers.flatMap((name) => [assigned(name, 'admin', 'service'), assigned(name, 'service', 'service')]),
      ...names.flatMap((name) => ['member', 'reader'].map((role) => assigned(`${name}-owner`, role, name))),
    ],
    applicationCredentials: [
      {
        ...operatorCredential,
        name: 'operator',
        user: userIdOf('admin'),
        project: projectIdOf('admin'),
        roles: ['admin', 'member', 'reader'],
      },
    ],
    tokens: new Map(),
    tokenLife: hour,
    projectsHidden: false,
  }
}

const assigned = (user: string, role: string, project: string): Assignment => ({
  user: userIdOf(user),
  role: roleIdOf(role),
  scope: { project: projectIdOf(project) },
})
