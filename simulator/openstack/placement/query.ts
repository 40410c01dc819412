import type { CloudState } from '../cloud.ts'
import { ApiFailure, type ApiRequest } from '../http/api.ts'
import type { Hypervisor } from '../nova/state.ts'
import { type Resources, resourceClasses, traitsOf } from './state.ts'

const invalid = (why: string) => new ApiFailure(400, `Invalid query string parameters: ${why}`)

/** Names that may stand in a query, and since which microversion; the rest is refused. */
export function checkNames({ query, version }: ApiRequest, names: { readonly [name: string]: number }): void {
  for (const name of query.keys()) {
    if ((names[name] ?? Number.POSITIVE_INFINITY) > version)
      throw invalid(`Additional properties are not allowed ('${name}' was unexpected)`)
  }
}

/** `resources=VCPU:2,MEMORY_MB:4096` */
export function resourcesIn(text: string): Resources {
  const form = 'Expected resources query string parameter in form: ?resources=VCPU:2,MEMORY_MB:1024.'
  if (text.trim() === '') throw new ApiFailure(400, `Badly formed resources parameter. ${form} Got: empty string.`)
  const pairs = text.split(',').map((pair) => {
    const [name = '', amount = '', ...more] = pair.split(':')
    if (!pair.includes(':') || more.length > 0)
      throw new ApiFailure(400, `Badly formed resources parameter. ${form} Got: ${pair}.`)
    if (!/^\s*[+-]?\d+\s*$/.test(amount))
      throw new ApiFailure(400, `Requested resource ${name} expected positive integer amount. Got: ${amount}.`)
    if (Number(amount) < 1)
      throw new ApiFailure(400, `Requested resource ${name} requires amount >= 1. Got: ${Number(amount)}.`)
    return [name, Number(amount)] as const
  })
  const odd = pairs.find(([name]) => !standardClasses.includes(name))
  if (odd) {
    const why = `No such resource class ${odd[0]}.`
    throw new ApiFailure(400, `Invalid resource class in resources parameter: ${why}`)
  }
  return Object.fromEntries(pairs)
}

/** What Placement knows by itself of what is asked for; a class of its own no host here has. */
const standardClasses = [...resourceClasses, 'PCPU', 'VGPU', 'PCI_DEVICE', 'SRIOV_NET_VF']
/** Traits that there are, whether a host has them or not; one of its own (`CUSTOM_…`) no host here has. */
const standardTrait = /^(COMPUTE|HW|MISC|OWNER|STORAGE)_[A-Z0-9_]+$/

/** Which hosts `required`, `member_of` and `in_tree` leave. */
export function providersWanted(cloud: CloudState, request: ApiRequest): (one: Hypervisor) => boolean {
  const { query } = request
  const traits = traitsAsked(request)
  const members = membersAsked(request)
  const root = query.get('in_tree')?.trim()
  if (root !== undefined && !uuid.test(root))
    throw invalid(`Expected 'in_tree' parameter to be a format of uuid. Got: ${root}`)
  return (one) => {
    const has = traitsOf(cloud, one)
    const groups = cloud.nova.aggregates.filter(({ hosts }) => hosts.includes(one.host)).map((group) => group.uuid)
    return (
      traits.required.every((any) => any.some((trait) => has.includes(trait))) &&
      !traits.forbidden.some((trait) => has.includes(trait)) &&
      members.required.every((any) => any.some((group) => groups.includes(group))) &&
      !members.forbidden.some((group) => groups.includes(group)) &&
      (root === undefined || root === one.uuid)
    )
  }
}

interface Demands {
  /** One of each. */
  readonly required: readonly (readonly string[])[]
  readonly forbidden: readonly string[]
}

function traitsAsked({ query, version }: ApiRequest): Demands {
  // before 1.39 only the last one counts
  const values = version >= 39 ? query.getAll('required') : query.getAll('required').slice(-1)
  const required: string[][] = []
  const forbidden: string[] = []
  for (const value of values) {
    const any = value.startsWith('in:')
    if (any && version < 39) {
      throw invalid(`The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' only supported since microversion 1.39. Got: ${value}`)
    }
    const names = value
      .replace(/^in:/, '')
      .split(',')
      .map((name) => name.trim())
    const form = any ? 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' : 'HW_CPU_X86_VMX,!CUSTOM_MAGIC'
    if (names.some((name) => name.replace(/^!+/, '') === '')) {
      throw invalid(`Expected 'required' parameter value of the form: ${form}. Got an empty trait in: ${value}`)
    }
    const denied = names.filter((name) => name.startsWith('!'))
    if (any && denied.length > 0) {
      throw invalid(`The format 'in:HW_CPU_X86_VMX,CUSTOM_MAGIC' does not support forbidden traits. Got: ${value}`)
    }
    if (denied.length > 0 && version < 22) {
      const legacy = 'HW_CPU_X86_VMX,CUSTOM_MAGIC'
      throw invalid(`Expected 'required' parameter value of the form: ${legacy}. Got: ${value}`)
    }
    const wanted = names.filter((name) => !name.startsWith('!'))
    required.push(...(any ? [wanted] : wanted.map((name) => [name])))
    forbidden.push(...denied.map((name) => name.replace(/^!+/, '')))
  }
  const unknown = [...required.flat(), ...forbidden].filter((name) => !standardTrait.test(name))
  if (unknown.length > 0) throw new ApiFailure(400, `No such trait(s): ${unknown.join(', ')}.`)
  return { required, forbidden }
}

const uuid = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i

function membersAsked({ query, version }: ApiRequest): Demands {
  const values = query.getAll('member_of')
  if (values.length > 1 && version < 24) throw new ApiFailure(400, 'Multiple member_of parameters are not supported')
  const required: string[][] = []
  const forbidden: string[] = []
  for (const value of values) {
    const [, not, several, rest = ''] = /^(!?)(in:)?(.*)$/s.exec(value) ?? []
    if (!several && rest.includes(',')) {
      throw new ApiFailure(
        400,
        `Multiple values for 'member_of' must be prefixed with the 'in:' or '!in:' keyword using the valid microversion. Got: ${value}`,
      )
    }
    const groups = rest.split(',')
    const odd = groups.find((group) => !uuid.test(group))
    if (odd !== undefined) throw invalid(`Expected 'member_of' parameter to contain valid UUID(s). Got: ${odd}`)
    if (not && version < 32) {
      const why = 'Forbidden member_of parameters are not supported in the specified microversion'
      throw new ApiFailure(400, why)
    }
    if (not) forbidden.push(...groups)
    else required.push(groups)
  }
  return { required, forbidden }
}
