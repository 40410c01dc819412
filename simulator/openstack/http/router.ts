import type { Route, Service } from './api.ts'

export interface Match {
  readonly route: Route
  readonly params: { readonly [name: string]: string }
}

/** The routes of a path: none, one, or several when microversions answer it differently. */
export function routesOf({ prefixes, routes }: Service, method: string, path: string): Match[] {
  for (const prefix of prefixes) {
    const before = prefix.exec(path)
    if (!before) continue
    const rest = path.slice(before[0].length) || '/'
    const found = routes.flatMap((route): Match[] => {
      const params = paramsIn(route.path, rest)
      const sameMethod = route.method === method || (method === 'HEAD' && route.method === 'GET')
      return params && sameMethod ? [{ route, params: { ...before.groups, ...params } }] : []
    })
    if (found.length > 0) return found
  }
  return []
}

function paramsIn(pattern: string, path: string): { [name: string]: string } | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (given.at(-1) === '' && given.length > 2) given.pop()
  if (wanted.length !== given.length) return undefined
  const params: { [name: string]: string } = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decoded(value)
    else if (part !== value) return undefined
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
