import type { Route, Service } from './api.ts'

export interface Match {
  readonly route: Route
  readonly params: { readonly [name: string]: string }
  /** The project in the path, where there is one. */
  readonly project: string | undefined
}

/** The routes of a path: none, one, or several when microversions answer it differently. */
export function routesOf({ projectInPath, routes }: Service, method: string, path: string): Match[] {
  const project = projectInPath?.exec(path)
  const plain = project ? `${project[1]}${path.slice(project[0].length)}` : path
  return routes.flatMap((route): Match[] => {
    const params = paramsIn(route.path, plain)
    const sameMethod = route.method === method || (method === 'HEAD' && route.method === 'GET')
    return params && sameMethod ? [{ route, params, project: project?.[2] }] : []
  })
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
