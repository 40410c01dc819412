import { ApiFailure, type Microversions } from './api.ts'

/** What a call asked for, and the headers that say so in the answer. */
export interface Negotiated {
  readonly version: number
  readonly headers: { readonly [name: string]: string }
}

/**
 * Reads `OpenStack-API-Version` (and Nova's older header); the lowest version when there is none.
 * Throws `ApiFailure` 406 for a version out of range, which all but Placement still echo, and 400 for one that is no
 * version, which nobody does.
 */
export function negotiate(microversions: Microversions, header: (name: string) => string | undefined): Negotiated {
  const { service, legacyHeader, major, min, max } = microversions
  const lowest = `${major}.${min}`
  const asked = askedFor(service, header('openstack-api-version')) || (legacyHeader && header(legacyHeader)) || lowest
  if (asked === 'latest') return { version: max, headers: echo(microversions, `${major}.${max}`) }
  const parts = /^(\d+)\.(\d+)$/.exec(asked)
  if (!parts) {
    throw new ApiFailure(
      400,
      service === 'placement'
        ? `Invalid microversion: invalid version string: ${asked}`
        : `API Version String ${asked} is of invalid format. Must be of format MajorNum.MinorNum.`,
    )
  }
  const version = Number(parts[2])
  if (Number(parts[1]) === major && version >= min && version <= max) {
    return { version, headers: echo(microversions, asked) }
  }
  if (service === 'placement') throw new ApiFailure(406, `Invalid microversion: Unacceptable version header: ${asked}`)
  const message = `Version ${asked} is not supported by the API. Minimum is ${lowest} and maximum is ${major}.${max}.`
  throw new ApiFailure(406, message, { headers: echo(microversions, asked) })
}

function echo({ service, legacyHeader }: Microversions, answered: string): { [name: string]: string } {
  return {
    'OpenStack-API-Version': `${service} ${answered}`,
    ...(legacyHeader && { [legacyHeader]: answered }),
    Vary: ['OpenStack-API-Version', ...(legacyHeader ? [legacyHeader] : [])].join(', '),
  }
}

/** `compute 2.53, volume 3.70` names several services. */
function askedFor(service: string, header: string | undefined): string | undefined {
  for (const entry of header?.split(',') ?? []) {
    const [name, version] = entry.trim().split(/\s+/)
    if (name?.toLowerCase() === service && version) return version
  }
  return undefined
}
