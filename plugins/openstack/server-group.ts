import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, listOf, text } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { badAnswer, call, objectIn } from './call.ts'
import { apiObject, dateOfAnswer, labels, paramsOf } from './fields.ts'
import { objectsIn } from './json-body.ts'
import { pageSize } from './paging.ts'
import { type Session, sessionOf } from './session.ts'
import { computeVersions } from './versions.ts'

const list: WorkAction = {
  name: 'openstack.server_group.list',
  summary: 'the server groups of every project, with their rule and their servers',
  effect: 'read',
  params: paramsOf({}),
  result: closedObject({
    server_groups: listOf(
      apiObject(
        'A server group',
        {
          id: text('UUID'),
          name: text('Its name'),
          policy: text('`affinity`, `anti-affinity`, `soft-affinity`, `soft-anti-affinity`; from version 2.64 on'),
          policies: listOf(text('A rule'), 'Before version 2.64'),
          rules: labels('More of the rule: `max_server_per_host`'),
          members: listOf(text('UUID'), 'Its servers'),
          metadata: anything('Before version 2.64'),
          project_id: text('Project'),
          user_id: text('Owner'),
        },
        ['id', 'name', 'members'],
      ),
      'All of them',
    ),
    date: dateOfAnswer,
  }),
  examples: [{}],
  async run(ctx, params, signal): Promise<Json> {
    const { groups, date } = await serverGroups(await sessionOf(ctx, params), signal)
    return { server_groups: groups, date }
  },
}

/** The server groups of every project. Their list has no next page: it is counted on. */
export async function serverGroups(
  session: Session,
  signal: AbortSignal,
): Promise<{ readonly groups: readonly JsonObject[]; readonly date: string | null }> {
  const all: JsonObject[] = []
  let date: string | null = null
  for (;;) {
    const query = { all_projects: true, limit: pageSize, offset: all.length }
    const answer = await call(
      session,
      { service: 'compute', path: '/os-server-groups', query, microversion: computeVersions },
      signal,
    )
    date ??= answer.date
    const groups = objectIn(answer)['server_groups']
    if (!Array.isArray(groups)) throw badAnswer(answer.url, answer.status, 'without a list `server_groups`')
    const before = all.length
    all.push(...objectsIn(groups).filter(({ id }) => !all.some((known) => known['id'] === id)))
    if (groups.length < pageSize || all.length === before) return { groups: all, date }
  }
}

export const serverGroupActions: readonly WorkAction[] = [list]
