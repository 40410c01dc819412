import { dirname, resolve } from 'node:path'
import type { Declarations } from '../action/declared.ts'
import type { Registry } from '../action/registry.ts'
import { checkRunbook } from '../check/check.ts'
import type { KnownHosts } from '../check/hosts.ts'
import { isTargetExpression } from '../check/use.ts'
import type { Diagnostic } from '../diagnostic.ts'
import { hasErrors, inOrder } from '../diagnostic.ts'
import { problemAt } from '../document/problem.ts'
import type { Runbook } from '../document/runbook.ts'
import { everyStep } from '../document/runbook.ts'
import { mapToJson, spanAt } from '../document/tree.ts'
import type { Inventory, SecretPlace } from '../inventory/inventory.ts'
import { inventoryOf, inventorySchema } from '../inventory/inventory.ts'
import { namesInPattern } from '../inventory/pattern.ts'
import { sumOf } from '../journal/chain.ts'
import { planOf, semantics } from '../plan/build.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunbookLibrary } from './library.ts'
import { Problems, readLocated } from './yaml-file.ts'

export interface Prepared {
  readonly path: string
  readonly runbook: Runbook | undefined
  /** It and all that it calls, each once. */
  readonly runbooks: readonly Runbook[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads and checks a runbook and all that it calls. */
export function prepare(
  name: string,
  library: RunbookLibrary,
  registry: Declarations,
  inventory?: Inventory,
): Prepared {
  const { path, runbook, diagnostics } = library.load(name)
  if (!runbook) return { path, runbook, runbooks: [], diagnostics: inOrder(diagnostics) }
  const hosts = inventory && knownHosts(inventory)
  const all: Diagnostic[] = [...diagnostics]
  const seen = new Map<string, Runbook>()
  const visit = (each: Runbook, outermost: boolean): void => {
    if (seen.has(each.source.path)) return
    seen.set(each.source.path, each)
    const found = checkRunbook(each, { registry, library, ...(hosts && { hosts }) })
    // a called runbook is checked on its own too; what it warns of is told there
    all.push(...(outermost ? found : found.filter(({ severity }) => severity === 'error')))
    for (const step of everyStep(each.steps)) {
      const called = step.kind === 'runbook' ? library.find(step.runbook.text, each.source.path) : undefined
      if (called) visit(called, false)
    }
  }
  visit(runbook, true)
  return { path, runbook, runbooks: [...seen.values()], diagnostics: inOrder([...all, ...library.problems()]) }
}

/** The plan of a runbook that has no errors. */
export function makePlan(runbook: Runbook, library: RunbookLibrary, registry: Registry): Plan {
  const planned = planOf(runbook, { registry, find: (called, from) => library.find(called, from), isTargetExpression })
  const files = library.files()
  const digest = digestOf({ semantics, runbook: planned })
  return { semantics, runbook: planned, files, digest }
}

/** What a plan is known by: it changes with anything in the runbook or in those that it calls. */
export function digestOf({ semantics: rules, runbook }: Pick<Plan, 'semantics' | 'runbook'>): string {
  return sumOf(JSON.stringify([rules, runbook]))
}

/** Reads an inventory. Throws `Problems`. */
export function loadInventory(path: string): Inventory {
  const { source, tree } = readLocated(path, inventorySchema)
  const { inventory, problems } = inventoryOf(tree.kind === 'map' ? mapToJson(tree) : {})
  if (problems.length > 0)
    throw new Problems(
      problems.map(({ code, path: at, message }) => problemAt(source, spanAt(tree, at), code, message)),
    )
  const here = (file: string) => resolve(dirname(path), file.replace(/^~(?=\/)/, process.env['HOME'] ?? '~'))
  const placed = (place: SecretPlace): SecretPlace => ('file' in place ? { file: here(place.file) } : place)
  const hosts = [...inventory.hosts].map(([name, host]) => {
    const { identity_file, known_hosts, config, become_password, password, passphrase, ...rest } = host.ssh
    const ssh = {
      ...rest,
      ...(identity_file && { identity_file: here(identity_file) }),
      ...(known_hosts && { known_hosts: here(known_hosts) }),
      ...(config && { config: here(config) }),
      ...(become_password && { become_password: placed(become_password) }),
      ...(password && { password: placed(password) }),
      ...(passphrase && { passphrase: placed(passphrase) }),
    }
    return [name, { ...host, ssh }] as const
  })
  return {
    ...inventory,
    hosts: new Map(hosts),
    ...(inventory.cloudsFile && { cloudsFile: here(inventory.cloudsFile) }),
  }
}

function knownHosts(inventory: Inventory): KnownHosts {
  return { hosts: [...inventory.hosts.keys()], groups: [...inventory.groups.keys()], namesIn: namesInPattern }
}

/** Throws the errors; gives the warnings. */
export function demandNoErrors(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  if (hasErrors(diagnostics)) throw new Problems(diagnostics)
  return diagnostics
}
