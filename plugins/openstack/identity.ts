import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, flag, listOf, text } from '../../engine/action/define.ts'
import { apiObject, labels } from './fields.ts'
import { exactly, listAction } from './list.ts'

const serviceList = listAction({
  name: 'openstack.service.list',
  summary: 'the services Keystone knows',
  service: 'identity',
  path: '/services',
  collection: 'services',
  paged: false,
  filters: {
    type: exactly(text('Only those of this type: `compute`', { minLength: 1 }), 'type'),
    name: exactly(text('Only those with exactly this name', { minLength: 1 }), 'name'),
  },
  item: apiObject(
    'A service',
    {
      id: text('Its id'),
      type: text('`compute`, `network`, …'),
      name: text('`nova`, `neutron`, …'),
      description: text('What somebody wrote about it'),
      enabled: flag('Whether the catalog has it'),
      links: anything('Addresses of it'),
    },
    ['id', 'type'],
  ),
})

const endpointList = listAction({
  name: 'openstack.endpoint.list',
  summary: 'the endpoints Keystone knows',
  service: 'identity',
  path: '/endpoints',
  collection: 'endpoints',
  paged: false,
  filters: {
    service: exactly(text('Only those of this service, by id', { minLength: 1 }), 'service_id'),
    interface: exactly(text('Only these', { enum: ['public', 'internal', 'admin'] }), 'interface'),
  },
  item: apiObject(
    'An endpoint',
    {
      id: text('Its id'),
      service_id: text('Its service'),
      interface: text('`public`, `internal`, `admin`'),
      region: text('Its region, by its old name'),
      region_id: text('Its region'),
      url: text('Its address; `%(project_id)s` stands for the project'),
      enabled: flag('Whether the catalog has it'),
      links: anything('Addresses of it'),
    },
    ['id', 'interface', 'url'],
  ),
})

const projectList = listAction({
  name: 'openstack.project.list',
  summary: 'the projects',
  service: 'identity',
  path: '/projects',
  collection: 'projects',
  paged: false,
  filters: {
    name: exactly(text('Only those with exactly this name', { minLength: 1 }), 'name'),
    domain: exactly(text('Only those of this domain, by id', { minLength: 1 }), 'domain_id'),
  },
  item: apiObject(
    'A project',
    {
      id: text('Its id'),
      name: text('Its name, unique in its domain'),
      description: text('What somebody wrote about it'),
      domain_id: text('Its domain'),
      parent_id: text('The project it is in, or its domain'),
      enabled: flag('Whether its users may come in'),
      is_domain: flag('Whether it is a domain itself'),
      tags: listOf(text('A tag'), 'Tags'),
      options: labels('Options'),
      links: anything('Addresses of it'),
    },
    ['id', 'name'],
  ),
})

const domainList = listAction({
  name: 'openstack.domain.list',
  summary: 'the domains',
  service: 'identity',
  path: '/domains',
  collection: 'domains',
  paged: false,
  filters: { name: exactly(text('Only the one with exactly this name', { minLength: 1 }), 'name') },
  item: apiObject(
    'A domain',
    {
      id: text('Its id'),
      name: text('Its name'),
      description: text('What somebody wrote about it'),
      enabled: flag('Whether its users may come in'),
      tags: listOf(text('A tag'), 'Tags'),
      options: labels('Options'),
      links: anything('Addresses of it'),
    },
    ['id', 'name'],
  ),
})

const userList = listAction({
  name: 'openstack.user.list',
  summary: 'the users',
  service: 'identity',
  path: '/users',
  collection: 'users',
  paged: false,
  filters: {
    name: exactly(text('Only those with exactly this name', { minLength: 1 }), 'name'),
    domain: exactly(text('Only those of this domain, by id', { minLength: 1 }), 'domain_id'),
  },
  item: apiObject(
    'A user',
    {
      id: text('Its id'),
      name: text('Its name, unique in its domain'),
      domain_id: text('Its domain'),
      default_project_id: text('The project it comes into when it names none'),
      description: text('What somebody wrote about it'),
      email: text('Its address'),
      enabled: flag('Whether it may come in'),
      password_expires_at: text('When its password stops to hold'),
      federated: anything('Who vouches for it'),
      options: labels('Options'),
      links: anything('Addresses of it'),
    },
    ['id', 'name'],
  ),
})

const named = (description: string) =>
  apiObject(description, { id: text('Its id'), name: text('Its name'), domain: anything('Its domain') }, ['id'])

const roleAssignmentList = listAction({
  name: 'openstack.role_assignment.list',
  summary: 'who has which role where, with names',
  service: 'identity',
  path: '/role_assignments',
  collection: 'role_assignments',
  paged: false,
  query: ({ user, role, project }) => ({
    include_names: 'True',
    ...(user !== undefined && { 'user.id': String(user) }),
    ...(role !== undefined && { 'role.id': String(role) }),
    ...(project !== undefined && { 'scope.project.id': String(project) }),
  }),
  switches: {
    user: text('Only those of this user, by id', { minLength: 1 }),
    role: text('Only those of this role, by id', { minLength: 1 }),
    project: text('Only those on this project, by id', { minLength: 1 }),
  },
  item: apiObject(
    'An assignment',
    {
      role: named('The role'),
      user: named('The user, where it is one'),
      group: named('The group, where it is one'),
      scope: anything('`project`, `domain` or `system`'),
      links: anything('Addresses of it'),
    },
    ['role', 'scope'],
  ),
})

export const identityActions: readonly WorkAction[] = [
  serviceList,
  endpointList,
  projectList,
  domainList,
  userList,
  roleAssignmentList,
]
