import type { CloudConfig } from '../action/contract.ts'
import { closest } from '../diagnostic.ts'
import { RunbookError } from '../error.ts'
import { isObject, type Json, type JsonObject } from '../json.ts'
import { authOf } from './cloud-auth.ts'
import { mergeCloud, mergeDocument, normalKeys, plainText, truth } from './cloud-merge.ts'

/** What clouds are known from. Where the files are looked for, the first one found winning, is the caller's business. */
export interface CloudSources {
  /** `clouds.yaml`. */
  readonly clouds?: Json
  /** `secure.yaml`: laid over `clouds.yaml`, field by field. */
  readonly secure?: Json
  /** `clouds-public.yaml`: the profiles of vendors. */
  readonly vendors?: Json
  readonly env: { readonly [name: string]: string | undefined }
  /** The cloud to use when nobody names one and `OS_CLOUD` is not set. */
  readonly preferred?: string
}

/**
 * One cloud, by the rules of openstacksdk: the vendor's profile, then `clouds.yaml`, then `secure.yaml`, then what is
 * said for the region. Which one: the name, else `OS_CLOUD`, else the preferred one, else the `OS_*` variables when
 * `OS_AUTH_URL` is among them, else the only one. The region: the one asked for, else `OS_REGION_NAME`, else the first.
 * A named cloud takes nothing else from the environment.
 *
 * Throws `RunbookError`: `no_cloud`, `unknown_cloud`, `cloud_not_chosen`, `unknown_region`, and those of `authOf`.
 */
export function cloudConfig(sources: CloudSources, wanted: { name?: string; region?: string } = {}): CloudConfig {
  const entries = entriesOf(sources)
  const name = chosen(sources, entries, wanted.name)
  const entry = entries.get(name) ?? {}
  const profile = profileOf(entry, sources.vendors)
  const whole = mergeCloud(profile.values, entry)

  const regions = regionsOf(whole)
  const asked = wanted.region || (sources.env['OS_REGION_NAME'] ?? '')
  const region = regionCalled(asked, regions, name)
  const values = mergeCloud(mergeCloud(whole, region?.values ?? {}), region ? { region_name: region.name } : {})

  return {
    name,
    ...authOf(values, { name, fromEnvironment: name === envName(sources), missingProfile: profile.missing }),
    ...(region && { region: region.name }),
    regions: regions.map((known) => known.name),
    interface: interfaceOf(values, name),
    tls: tlsOf(values, sources.env['HOME']),
    overrides: overridesOf(values),
  }
}

function entriesOf(sources: CloudSources): Map<string, JsonObject> {
  const merged = mergeDocument(cloudsIn(sources.clouds), cloudsIn(sources.secure))
  const entries = new Map(Object.entries(merged).map(([name, entry]) => [name, normalKeys(entry)]))
  const fromEnvironment = environmentCloud(sources.env)
  if (fromEnvironment) entries.set(envName(sources), fromEnvironment)
  return entries
}

function cloudsIn(document: Json | undefined): JsonObject {
  const clouds = isObject(document) ? document['clouds'] : undefined
  return isObject(clouds) ? clouds : {}
}

const envName = ({ env }: CloudSources): string => env['OS_CLOUD_NAME'] || 'envvars'

/** Every `OS_X` is `x`; without an address they are settings of other programs, not a cloud. */
function environmentCloud(env: CloudSources['env']): JsonObject | undefined {
  if (!env['OS_AUTH_URL']) return undefined
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[0].startsWith('OS_') && !!entry[1])
  return normalKeys(Object.fromEntries(set.map(([name, value]) => [name.slice(3).toLowerCase(), value])))
}

function chosen(sources: CloudSources, entries: ReadonlyMap<string, unknown>, asked: string | undefined): string {
  const { env, preferred } = sources
  const name = asked || env['OS_CLOUD'] || preferred || (entries.has(envName(sources)) ? envName(sources) : undefined)
  if (name !== undefined) {
    if (!entries.has(name)) throw unknownCloud(name, [...entries.keys()], asked ? undefined : whyNamed(sources))
    return name
  }
  const [only, ...more] = entries.keys()
  if (only === undefined) throw noCloud(env)
  if (more.length === 0) return only
  throw new RunbookError(
    'cloud_not_chosen',
    `there are ${entries.size} clouds and none is chosen: ${list(entries.keys())}`,
    {
      hint: `set \`OS_CLOUD\`, as in \`OS_CLOUD=${only}\``,
    },
  )
}

const whyNamed = ({ env }: CloudSources): string => (env['OS_CLOUD'] ? '`OS_CLOUD` names it' : 'the inventory names it')

function noCloud(env: CloudSources['env']): RunbookError {
  const half = Object.keys(env).filter((name) =>
    /^OS_(USERNAME|USER_ID|PASSWORD|TOKEN|APPLICATION_CREDENTIAL_)/.test(name),
  )
  if (half.length > 0)
    return new RunbookError('no_cloud', `\`${half.sort()[0]}\` is set, but \`OS_AUTH_URL\` is not`, {
      hint: 'source the whole openrc file of the cloud, or set `OS_CLOUD`',
    })
  return new RunbookError('no_cloud', 'there is no cloud: no clouds.yaml was found and `OS_AUTH_URL` is not set', {
    hint: 'put a clouds.yaml into this folder or ~/.config/openstack, or source an openrc file',
  })
}

function unknownCloud(name: string, names: readonly string[], why: string | undefined): RunbookError {
  const near = closest(name, names)
  const known =
    names.length === 0 ? 'no clouds.yaml was found' : `there ${names.length === 1 ? 'is' : 'are'} ${list(names)}`
  return new RunbookError('unknown_cloud', `no cloud is called \`${name}\`${why ? ` (${why})` : ''}`, {
    hint: near ? `did you mean \`${near}\`?` : known,
  })
}

const list = (names: Iterable<string>): string => [...names].map((name) => `\`${name}\``).join(', ')

function profileOf(entry: JsonObject, vendors: Json | undefined): { values: JsonObject; missing?: string } {
  const name = plainText(entry['profile']) ?? plainText(entry['cloud'])
  if (name === undefined) return { values: {} }
  const known = isObject(vendors) ? vendors['public-clouds'] : undefined
  const values = isObject(known) ? known[name] : undefined
  return isObject(values) ? { values: normalKeys(values) } : { values: {}, missing: name }
}

interface Region {
  readonly name: string
  readonly values: JsonObject
}

/** `regions` is a list of names or of `{name, values}`; `region_name` one name, or (as of old) several with commas. */
function regionsOf(values: JsonObject): readonly Region[] {
  const named = values['regions'] ?? values['region_name']
  const all = Array.isArray(named) ? named : (plainText(named) ?? '').split(',')
  return all.flatMap((region): Region[] => {
    if (isObject(region)) {
      const name = plainText(region['name'])
      return name ? [{ name, values: isObject(region['values']) ? normalKeys(region['values']) : {} }] : []
    }
    const name = plainText(region)?.trim()
    return name ? [{ name, values: {} }] : []
  })
}

function regionCalled(asked: string, regions: readonly Region[], cloud: string): Region | undefined {
  if (asked === '') return regions[0]
  const found = regions.find(({ name }) => name === asked)
  if (found || regions.length === 0) return found ?? { name: asked, values: {} }
  const names = regions.map(({ name }) => name)
  const near = closest(asked, names)
  throw new RunbookError('unknown_region', `the cloud \`${cloud}\` has no region \`${asked}\``, {
    hint: near ? `did you mean \`${near}\`?` : `it has ${list(names)}`,
  })
}

function interfaceOf(values: JsonObject, cloud: string): CloudConfig['interface'] {
  const written = plainText(values['interface']) ?? plainText(values['endpoint_type']) ?? 'public'
  const name = written.replace(/URL$/, '')
  if (name === 'public' || name === 'internal' || name === 'admin') return name
  throw new RunbookError('cloud_setting', `the cloud \`${cloud}\` has the interface \`${written}\``, {
    hint: 'there are `public`, `internal` and `admin`',
  })
}

function tlsOf(values: JsonObject, home: string | undefined): CloudConfig['tls'] {
  const path = (name: string) => {
    const written = plainText(values[name])
    return written && home ? written.replace(/^~(?=\/)/, home) : written
  }
  const [caFile, certFile, keyFile] = [path('cacert'), path('cert'), path('key')]
  return {
    verify: truth(values['verify'], true) && !truth(values['insecure'], false),
    ...(caFile && { caFile }),
    ...(certFile && { certFile }),
    ...(keyFile && { keyFile }),
  }
}

const perService =
  /_(endpoint_override|api_version|interface|endpoint_type|service_type|service_name|region_name|default_microversion)$/

/** What is said for one service, by its full name; the old `…_endpoint_type` is `…_interface`. */
function overridesOf(values: JsonObject): { readonly [name: string]: string } {
  const said = Object.entries(values).flatMap(([name, value]) => {
    const text = plainText(value)
    return perService.test(name) && text ? [[name.replace(/_endpoint_type$/, '_interface'), text] as const] : []
  })
  return Object.fromEntries(said)
}
