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

export const identityActions: readonly WorkAction[] = [serviceList, endpointList, projectList]
