import type { WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, text } from '../../engine/action/define.ts'
import type { Json } from '../../engine/json.ts'
import { attachOperations } from './attach-operations.ts'
import { coldMigrations } from './cold-migration.ts'
import { serverConsole } from './console.ts'
import { serverCreate } from './create-server.ts'
import { deleteServer } from './delete-server.ts'
import { evacuate } from './evacuation.ts'
import { dateOfAnswer, oneOrMore, paramsOf } from './fields.ts'
import { findServer, nameQuery, serverParam } from './find-server.ts'
import { imageOperations } from './image-operations.ts'
import { withoutSecrets } from './json-body.ts'
import { exactly, listAction } from './list.ts'
import { liveMigrate } from './live-migration.ts'
import type { Operation } from './operation.ts'
import { operationAction } from './operation-action.ts'
import { powerOperations } from './power-operations.ts'
import { serverItem, statuses } from './server-item.ts'
import { cellIsDown } from './server-state.ts'
import { sessionOf } from './session.ts'
import { shelveOperations } from './shelve-operations.ts'
import { computeVersions } from './versions.ts'

const serverList = listAction({
  name: 'openstack.server.list',
  summary: 'the servers, of every project unless told otherwise',
  description:
    'A server whose cell does not answer is listed with the status `UNKNOWN` and little else, whatever was asked for: nobody can say that it does not match.',
  service: 'compute',
  path: '/servers/detail',
  collection: 'servers',
  microversion: computeVersions,
  filters: {
    host: exactly(
      text('Only those on this host, exactly as Nova names it', { minLength: 1 }),
      'host',
      'OS-EXT-SRV-ATTR:host',
    ),
    status: exactly(oneOrMore('Only those in one of these statuses', statuses), 'status'),
    project: exactly(text('Only those of this project, by id', { minLength: 1 }), 'project_id', 'tenant_id'),
    name: {
      schema: text('Only those with exactly this name', { minLength: 1 }),
      query: ([name = '']) => nameQuery(name),
      field: 'name',
    },
  },
  switches: {
    all_projects: flag(
      'Servers of every project, which takes an administrator; false for those of the project of the cloud',
      {
        default: true,
      },
    ),
    changes_since: text('Only those that changed since then, ISO 8601; also those deleted since', { minLength: 1 }),
  },
  query: ({ all_projects, changes_since }) => ({
    ...(all_projects !== false && { all_tenants: 1 }),
    ...(typeof changes_since === 'string' && { 'changes-since': changes_since }),
  }),
  item: serverItem,
  partial: cellIsDown,
  examples: [{}, { host: 'compute-1' }, { status: ['ERROR', 'BUILD'], all_projects: true }],
})

const serverShow: WorkAction = {
  name: 'openstack.server.show',
  summary: 'one server, by id or by name',
  effect: 'read',
  params: paramsOf({ server: serverParam }, ['server']),
  result: closedObject({ server: serverItem, date: dateOfAnswer }),
  examples: [{ server: 'vm1' }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { server, date } = await findServer(session, String(params['server']), signal)
    return { server: withoutSecrets(server), date }
  },
}

/** Everything that is done to a server that exists. */
export const operations: readonly Operation[] = [
  ...powerOperations,
  liveMigrate,
  ...coldMigrations,
  evacuate,
  ...shelveOperations,
  ...imageOperations,
  ...attachOperations,
  deleteServer,
]

export const serverActions: readonly WorkAction[] = [
  serverList,
  serverShow,
  serverConsole,
  serverCreate,
  ...operations.map(operationAction),
]
