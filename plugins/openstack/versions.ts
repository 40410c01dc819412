import { type HttpResponse, StepFailure } from '../../engine/action/contract.ts'
import { isObject, type JsonObject } from '../../engine/json.ts'
import type { Address } from './address.ts'
import { officialName } from './catalog.ts'
import { failureFrom } from './failure.ts'
import { bodyOf, objectsIn, textAt } from './json-body.ts'
import { patiently } from './retry.ts'
import type { Session } from './session.ts'

/** The microversions an action knows how to speak: `2.53` to `2.100`. */
export interface Microversions {
  readonly min: string
  readonly max: string
}

/** From the release that gave services and hypervisors ids that hold across cells, to the newest we have read about. */
export const computeVersions: Microversions = { min: '2.53', max: '2.100' }

/** The microversions a service says it speaks. */
export interface Served {
  readonly min: string
  readonly max: string
}

/** Services that have microversions: how the header names them, and what they speak when nothing is asked. */
const negotiating: { readonly [service: string]: { readonly header: string; readonly base: string } } = {
  compute: { header: 'compute', base: '2.1' },
  'block-storage': { header: 'volume', base: '3.0' },
  placement: { header: 'placement', base: '1.0' },
}

/** The headers that ask for a microversion; Nova's older releases read only the second form. */
export function versionHeaders(service: string, microversion: string | undefined): { [name: string]: string } {
  if (microversion === undefined) return {}
  const name = officialName(service)
  return {
    'OpenStack-API-Version': `${negotiating[name]?.header ?? name} ${microversion}`,
    ...(name === 'compute' && { 'X-OpenStack-Nova-API-Version': microversion }),
  }
}

/**
 * The highest microversion that both sides know; none when the action asks for none. The version document of a service
 * is read once in a run. Throws `cloud_too_old`, `cloud_too_new`, and what a call throws.
 */
export async function agreeOn(
  wanted: Microversions | undefined,
  { service, address, token }: { service: string; address: Address; token: string },
  session: Session,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!wanted) return undefined
  const served = await servedBy(address, { service, token }, session, signal)
  const base = negotiating[officialName(service)]?.base
  if (!served) {
    // asking for nothing is safe only when the action can do with what comes by default
    if (base !== undefined && compareVersions(wanted.min, base) <= 0) return undefined
    throw new StepFailure(
      'cloud_too_old',
      `\`${service}\` does not say which versions it speaks; ${wanted.min} is needed`,
      {
        hint: `does \`${address.versionDocument}\` answer?`,
      },
    )
  }
  const highest = compareVersions(wanted.max, served.max) < 0 ? wanted.max : served.max
  if (compareVersions(highest, wanted.min) < 0)
    throw new StepFailure(
      'cloud_too_old',
      `\`${service}\` speaks versions up to ${served.max}; ${wanted.min} is needed`,
      {
        detail: { service, served: { ...served }, wanted: { ...wanted } },
      },
    )
  if (compareVersions(highest, served.min) < 0)
    throw new StepFailure(
      'cloud_too_new',
      `\`${service}\` speaks versions from ${served.min}; this knows up to ${wanted.max}`,
      {
        detail: { service, served: { ...served }, wanted: { ...wanted } },
      },
    )
  return highest
}

/** Whether a version is this one or a later one. */
export const atLeast = (version: string, wanted: string): boolean => compareVersions(version, wanted) >= 0

/** By their numbers: `2.9` is below `2.53`. */
function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number))
  return (left?.[0] ?? 0) - (right?.[0] ?? 0) || (left?.[1] ?? 0) - (right?.[1] ?? 0)
}

async function servedBy(
  { versionDocument, version }: Address,
  { service, token }: { service: string; token: string },
  { ctx, shared }: Session,
  signal: AbortSignal,
): Promise<Served | null> {
  const known = shared.versions.get(versionDocument)
  if (known !== undefined) return known
  // some services keep the document only one level up
  const places = version === '' ? [versionDocument] : [versionDocument, new URL('..', versionDocument).href]
  let found: Served | null = null
  for (const place of places) {
    const response = await documentAt(place)
    found = servedIn(response, version)
    if (found) break
  }
  shared.versions.set(versionDocument, found)
  return found

  async function documentAt(place: string): Promise<HttpResponse> {
    let url = place
    for (let follows = 0; ; follows += 1) {
      const request = { method: 'GET', url, headers: { 'X-Auth-Token': token }, tls: shared.cloud.tls }
      const { response } = await patiently(ctx, async () => ({ response: await ctx.http(request, signal) }), signal)
      if (response.status >= 500) throw failureFrom(response, { service, method: 'GET', url })
      const moved = [301, 302, 307, 308].includes(response.status) ? response.headers['location'] : undefined
      if (moved === undefined || follows === 3 || !URL.canParse(moved, url)) return response
      // only the path of it: the host may be a name from inside
      url = new URL(new URL(moved, url).pathname, url).href
    }
  }
}

/** Reads `{version: {…}}` and `{versions: [{…}]}`; the latter comes with 200 or with 300. */
function servedIn({ status, text }: HttpResponse, version: string): Served | null {
  if (status !== 200 && status !== 300) return null
  const body = bodyOf(text)
  if (!isObject(body)) return null
  const entries = isObject(body['version']) ? [body['version']] : objectsIn(body['versions'])
  const entry =
    entries.find((one) => sameVersion(textAt(one, 'id'), version)) ?? (version === '' ? entries[0] : undefined)
  return entry ? rangeIn(entry) : null
}

const sameVersion = (id: string | undefined, version: string): boolean =>
  id !== undefined && version !== '' && (id === version || id === `${version}.0`)

function rangeIn(entry: JsonObject): Served | null {
  const max = textAt(entry, 'version') ?? textAt(entry, 'max_version')
  const min = textAt(entry, 'min_version')
  return max && min ? { min, max } : null
}
