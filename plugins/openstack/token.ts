import type { WorkAction } from '../../engine/action/contract.ts'
import { closedObject, listOf, number, text } from '../../engine/action/define.ts'
import { isObject, type Json, type Schema } from '../../engine/json.ts'
import type { CatalogService } from './catalog.ts'
import { orNull, paramsOf } from './fields.ts'
import { objectsIn, textAt } from './json-body.ts'
import { renewToken, sessionOf } from './session.ts'

const named = (description: string): Schema => ({
  ...closedObject({ id: text('Its id'), name: text('Its name'), domain: orNull(text('Its domain, by name')) }),
  description,
})

const tokenIssue: WorkAction = {
  name: 'openstack.token.issue',
  summary: 'asks Keystone for a new token, and tells how long that took and what it is good for; not the token',
  effect: 'read',
  params: paramsOf({}),
  result: closedObject({
    took: number('Milliseconds until Keystone had answered'),
    issued_at: orNull(text('When, by its clock')),
    expires_at: orNull(text('Until when, by its clock')),
    user: named('Whose it is'),
    project: orNull(named('The project it is for; null for a domain, the system, or nothing')),
    roles: listOf(text('A role'), 'The roles of the user there'),
    services: listOf(
      closedObject({
        type: text('`compute`, `network`, …'),
        name: text('`nova`, `neutron`, …'),
        interfaces: listOf(text('`public`, `internal`, `admin`'), 'The ways to it'),
        regions: listOf(text('A region'), 'Where it is'),
      }),
      'What its catalog has',
    ),
  }),
  examples: [{}],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { about, catalog, took } = await renewToken(session, signal)
    return {
      took,
      issued_at: textAt(about, 'issued_at') ?? null,
      expires_at: textAt(about, 'expires_at') ?? null,
      user: whoIs(about['user']),
      project: isObject(about['project']) ? whoIs(about['project']) : null,
      roles: objectsIn(about['roles']).map((role) => textAt(role, 'name') ?? ''),
      services: catalog.map(summaryOf),
    }
  },
}

function whoIs(value: Json | undefined): Json {
  return {
    id: textAt(value, 'id') ?? '',
    name: textAt(value, 'name') ?? '',
    domain: textAt(value, 'domain', 'name') ?? null,
  }
}

function summaryOf({ type, name, endpoints }: CatalogService): Json {
  const each = (values: readonly string[]) => [...new Set(values)].sort()
  return {
    type,
    name,
    interfaces: each(endpoints.map((endpoint) => endpoint.interface)),
    regions: each(endpoints.map(({ region }) => region)),
  }
}

export const tokenActions: readonly WorkAction[] = [tokenIssue]
