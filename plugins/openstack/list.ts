import type { WorkAction } from '../../engine/action/contract.ts'
import { StepFailure } from '../../engine/action/contract.ts'
import { closedObject, listOf } from '../../engine/action/define.ts'
import type { Json, JsonObject, Schema } from '../../engine/json.ts'
import type { Query } from './call.ts'
import { dateOfAnswer, paramsOf } from './fields.ts'
import { withoutSecrets } from './json-body.ts'
import { listAll, pageSize } from './paging.ts'
import { sessionOf } from './session.ts'
import type { Microversions } from './versions.ts'

/** An action that lists all there is of something. */
export interface ListSpec {
  readonly name: WorkAction['name']
  readonly summary: string
  readonly description?: string
  readonly service: string
  /** Where the list is; with a function, from the parameters. */
  readonly path: string | ((params: JsonObject) => string)
  /** The name of the list in the answer and in the result. */
  readonly collection: string
  /** One item as the API gives it. */
  readonly item: Schema
  readonly filters?: { readonly [param: string]: Filter }
  /** Parameters that are no filters, with what they add to the query. */
  readonly switches?: { readonly [param: string]: Schema }
  readonly query?: (params: JsonObject) => Query
  readonly required?: readonly string[]
  readonly microversion?: Microversions
  /** Whether the list comes in pages; false where the service refuses `limit`. */
  readonly paged?: boolean
  /** An item of which the service knows too little to filter it: it is kept, for nobody can say that it does not match. */
  readonly partial?: (item: JsonObject) => boolean
  /** What is added to an item; the date is that of the answer, by the service's clock. */
  readonly derive?: (item: JsonObject, date: string | null) => JsonObject
  readonly examples?: readonly JsonObject[]
}

/**
 * A parameter that narrows the list. It is asked of the service and, where `field` names what to compare, checked again
 * here: a service that does not know a filter ignores it and gives everything.
 */
export interface Filter {
  readonly schema: Schema
  /** Its name in the query; with a function, what the values add to it. Without: the service has no such filter. */
  readonly query?: string | ((values: readonly string[]) => Query)
  /** The item's field that must be one of the values; of several fields one is enough. */
  readonly field?: string | readonly string[]
}

export function listAction(spec: ListSpec): WorkAction {
  const { collection, filters = {}, switches = {} } = spec
  const filterSchemas = Object.fromEntries(Object.entries(filters).map(([name, { schema }]) => [name, schema]))
  return {
    name: spec.name,
    summary: spec.summary,
    ...(spec.description !== undefined && { description: spec.description }),
    effect: 'read',
    params: paramsOf({ ...filterSchemas, ...switches }, spec.required),
    result: closedObject({ [collection]: listOf(spec.item, 'All of them, page after page'), date: dateOfAnswer }),
    examples: spec.examples ?? [{}],
    async run(ctx, params, signal) {
      const session = await sessionOf(ctx, params)
      const listed = listAll(
        session,
        {
          service: spec.service,
          path: typeof spec.path === 'string' ? spec.path : spec.path(params),
          query: {
            ...(spec.paged !== false && { limit: pageSize }),
            ...spec.query?.(params),
            ...asked(filters, params),
          },
          collection,
          ...(spec.microversion && { microversion: spec.microversion }),
        },
        signal,
      ).catch((error: unknown) => {
        throw spec.switches?.['all_projects'] ? withScopeHint(error) : error
      })
      const { items, first } = await listed
      const kept = onlyMatching(items, filters, params, spec)
      const { date } = first
      const shown = kept.map((item) => withoutSecrets(spec.derive ? { ...item, ...spec.derive(item, date) } : item))
      return { [collection]: shown, date }
    },
  }
}

/** To list what others have takes an administrator; who is none can still list what is theirs. */
function withScopeHint(error: unknown): unknown {
  if (!(error instanceof StepFailure) || error.code !== 'forbidden') return error
  return new StepFailure(error.code, error.message, {
    hint: 'use an administrator, or say `all_projects: false` to see only those of its own project',
    ...(error.detail !== undefined && { detail: error.detail }),
    cause: error,
  })
}

/** A part of a path that cannot leave its place. */
export const segment = (value: Json | undefined): string => encodeURIComponent(String(value ?? ''))

/** A filter that is asked under one name and is one field of the items. */
export function exactly(schema: Schema, query: string, field: string | readonly string[] = query): Filter {
  return { schema, query, field }
}

function valuesOf(value: Json | undefined): readonly string[] {
  return [value ?? []].flat().map(String)
}

function asked(filters: NonNullable<ListSpec['filters']>, params: JsonObject): Query {
  const parts = Object.entries(filters).map(([name, { query }]): Query => {
    const values = valuesOf(params[name])
    if (values.length === 0 || query === undefined) return {}
    return typeof query === 'string' ? { [query]: values } : query(values)
  })
  return Object.assign({}, ...parts)
}

function onlyMatching(
  items: readonly JsonObject[],
  filters: NonNullable<ListSpec['filters']>,
  params: JsonObject,
  { name, service, partial }: ListSpec,
): readonly JsonObject[] {
  const checks = Object.entries(filters).flatMap(([param, { field }]) => {
    const wanted = valuesOf(params[param])
    return field === undefined || wanted.length === 0 ? [] : [{ param, fields: [field].flat(), wanted }]
  })
  return items.filter((item) =>
    checks.every(({ param, fields, wanted }) => {
      const shown = fields.filter((field) => field in item)
      if (shown.length === 0 && partial?.(item)) return true
      if (shown.length === 0) throw unverified(name, { service, param, fields })
      return shown.some((field) => wanted.includes(String(item[field])))
    }),
  )
}

/** Without the field nobody can tell a filtered list from the whole one. */
function unverified(
  action: string,
  { service, param, fields }: { service: string; param: string; fields: readonly string[] },
): StepFailure {
  return new StepFailure(
    'filter_unverified',
    `\`${service}\` does not show \`${fields.join('` or `')}\`, so nobody can tell whether it kept to \`${param}\``,
    { hint: 'it shows it to an administrator: use another user', detail: { action, param } },
  )
}
