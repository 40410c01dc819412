import { officialName } from './catalog.ts'

/** Where a service is spoken to. */
export interface Address {
  /** What paths are added to; no slash at its end. */
  readonly base: string
  /** Where its version document is. */
  readonly versionDocument: string
  /** The version in its path, such as `v2.1`; empty where there is none. */
  readonly version: string
}

/** The version in the path of a service, and whether the project follows it. */
const paths: { readonly [service: string]: { readonly version: string; readonly project?: true } } = {
  identity: { version: 'v3' },
  compute: { version: 'v2.1' },
  network: { version: 'v2.0' },
  image: { version: 'v2' },
  'block-storage': { version: 'v3', project: true },
}

/**
 * The address of a service from what the catalog says. A catalog may end in a slash, in a version, in a version and a
 * project, or in none of them, and may still name a version that is gone: here the version is always the one we speak.
 * What a version document says of names and ports is never used: behind a balancer they are not ours to reach.
 */
export function addressOf(endpoint: string, service: string, projectId: string | undefined): Address {
  const wanted = paths[officialName(service)]
  const url = new URL(withProject(endpoint, projectId))
  const segments = url.pathname.split('/').filter(Boolean)
  const at = segments.findLastIndex((segment) => /^v\d+(\.\d+)?$/.test(segment))
  const written = at === -1 ? undefined : segments[at]
  const version = written === undefined ? (wanted?.version ?? '') : spoken(written, wanted?.version)
  const before = at === -1 ? segments : segments.slice(0, at)
  const after = at === -1 ? [] : segments.slice(at + 1)
  const project = wanted?.project && after.length === 0 && projectId ? [projectId] : []

  const join = (parts: readonly string[]) => [url.origin, ...parts.filter(Boolean)].join('/')
  return {
    base: join([...before, version, ...after, ...project]),
    versionDocument: `${join([...before, version])}/`,
    version,
  }
}

/** The same major version is taken as written, but for compute `v2`, which is another API than `v2.1`. */
function spoken(written: string, wanted: string | undefined): string {
  if (wanted === undefined) return written
  return majorOf(written) === majorOf(wanted) && wanted !== 'v2.1' ? written : wanted
}

const majorOf = (version: string): string => version.split('.')[0] ?? version

const withProject = (url: string, projectId: string | undefined): string =>
  url.replaceAll(/[%$]\((project|tenant)_id\)s/g, projectId ?? '')
