import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { concurrently } from './concurrently.ts'
import { apiObject, paramsOf } from './fields.ts'
import { findServer, serverParam, uuid } from './find-server.ts'
import { instanceAction, instanceActions } from './records.ts'
import { type Session, sessionOf } from './session.ts'

const atOnce = 4

const list: WorkAction = {
  name: 'openstack.instance_action.list',
  summary: 'what was done to a server, newest first, with the events of each',
  description:
    'Nova remembers a deleted server too, by its id. An action can be `Success` in every event and still have failed: a live migration that broke off shows only in `openstack.migration.list`.',
  effect: 'read',
  params: paramsOf({ server: serverParam, newest: whole('Only so many of the newest', { minimum: 1 }) }, ['server']),
  result: closedObject({
    actions: listOf(
      apiObject(
        'Something that was done',
        {
          action: text('`create`, `reboot`, `live-migration`, …'),
          instance_uuid: text('The server'),
          request_id: text('The request that asked for it'),
          user_id: text('Who asked'),
          project_id: text('Project of who asked'),
          start_time: text('When it began, without a zone'),
          updated_at: text('When it last changed, without a zone'),
          message: text('`Error` where it failed; null else'),
          events: listOf(
            apiObject('A part of it', {
              event: text('`compute_live_migration`, …'),
              start_time: text('When it began, without a zone'),
              finish_time: text('When it ended, without a zone; null while it has not'),
              result: text('`Success` or `Error`; null while it has not ended'),
              traceback: text('Where in Nova, for an administrator'),
              details: text('Why it failed; from version 2.84 on'),
              host: text('The host, for an administrator'),
              hostId: text('The host as its owner may know it'),
            }),
            'Its events, newest first',
          ),
        },
        ['action', 'request_id', 'events'],
      ),
      'What was done',
    ),
  }),
  examples: [{ server: 'vm1' }, { server: 'vm1', newest: 1 }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const wanted = String(params['server'])
    // a deleted server is not found, and what was done to it still is
    const id = uuid.test(wanted) ? wanted : String((await findServer(session, wanted, signal)).server['id'])
    const all = await instanceActions(session, id, signal)
    const newest = all.slice(0, typeof params['newest'] === 'number' ? params['newest'] : all.length)
    return {
      actions: await concurrently(newest, atOnce, signal, (action, linked) => withEvents(session, id, action, linked)),
    }
  },
}

async function withEvents(
  session: Session,
  server: string,
  action: JsonObject,
  signal: AbortSignal,
): Promise<JsonObject> {
  try {
    return { events: [], ...action, ...(await instanceAction(session, server, String(action['request_id']), signal)) }
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'not_found') return { events: [], ...action }
    throw error
  }
}

export const instanceActionActions: readonly WorkAction[] = [list]
