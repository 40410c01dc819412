import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Action } from '../engine/action/contract.ts'
import { asks } from '../engine/action/contract.ts'
import { kindOf, kindWords } from '../engine/action/params.ts'
import { builtIn } from '../engine/cli/built-in.ts'
import { runbookLibrary } from '../engine/cli/library.ts'
import { loadRegistry } from '../engine/cli/registry.ts'
import { runbookFacts, runbookPage } from '../engine/cli/runbook-page.ts'
import { stringifyYaml } from '../engine/document/write.ts'
import type { Json, Schema } from '../engine/json.ts'
import { isObject } from '../engine/json.ts'
import { faults } from '../simulator/faults.ts'
import { loadScenario, scenarioNames } from '../simulator/scenario.ts'

/** The pages that are made from the code, by path. */
export async function referencePages(): Promise<{ readonly [path: string]: string }> {
  return {
    'docs/reference/actions.md': actionsPage(),
    'docs/reference/faults.md': await faultsPage(),
    ...(await runbookPages()),
  }
}

/** A page for each runbook that ships. Where somebody wrote more than the file says, it stands above the mark and stays. */
async function runbookPages(): Promise<{ readonly [path: string]: string }> {
  const registry = await loadRegistry([])
  const library = runbookLibrary([], process.cwd())
  const files = readdirSync('runbooks').filter((file) => file.endsWith('.yaml'))
  const pages = files.toSorted().flatMap((file): (readonly [string, string])[] => {
    const { runbook } = library.load(`runbooks/${file}`)
    if (!runbook) return [] // `runbook check` says why
    const path = `docs/runbooks/${basename(file, '.yaml')}.md`
    const [above] = existsSync(path) ? readFileSync(path, 'utf8').split(facts) : []
    const written = above !== undefined && !above.includes(madeOfRunbook) ? above.trimEnd() : undefined
    if (written !== undefined) return [[path, `${written}\n\n${facts}${runbookFacts(runbook, library, registry)}`]]
    return [[path, runbookPage(runbook, library, registry).replace('\n\n', `\n\n${madeOfRunbook}`)]]
  })
  return Object.fromEntries(pages)
}

const madeOfRunbook = '<!-- made by `npm run reference` from the runbook: change that, not this page -->\n\n'
const facts = '<!-- from here on made by `npm run reference` from the runbook -->\n\n'

const made = '<!-- made by scripts/reference.ts: change the code, not this page -->\n'

function actionsPage(): string {
  const rows = builtIn.map(
    ({ name, summary, ...more }) => `| [\`${name}\`](#${anchor(name)}) | ${effectOf(more as Action)} | ${summary} |`,
  )
  return [
    `# Actions\n\n${made}`,
    'What a step can do. `runbook actions` lists the same, with those of your plugins; `runbook actions NAME` describes one. *May be repeated*: a second run leaves the world as the first left it.\n',
    '| Action | Effect | |\n|---|---|---|',
    ...rows,
    ...builtIn.map(actionSection),
    '',
  ].join('\n')
}

function anchor(name: string): string {
  return name.replaceAll('.', '')
}

function effectOf(action: Action): string {
  if (asks(action)) return 'asks'
  return `${action.effectFromStep ? 'as the step says' : action.effect}${action.idempotent ? ', may be repeated' : ''}`
}

function actionSection(action: Action): string {
  const [example = {}] = action.examples
  const step = stringifyYaml({ action: action.name, with: example } as unknown as Json as never)
  return [
    `\n## ${action.name}\n`,
    `${capital(action.summary)}. Effect: ${effectOf(action)}.`,
    ...(action.description ? ['', action.description] : []),
    `\n\`\`\`yaml fragment\n${step}\`\`\``,
    '\n| `with` | Type | |\n|---|---|---|',
    ...fieldRows(action.params, ''),
    '\n| `result` | Type | |\n|---|---|---|',
    ...fieldRows(action.result, ''),
  ].join('\n')
}

async function faultsPage(): Promise<string> {
  const scenarios = await Promise.all(
    scenarioNames().map(
      async (name) => (await loadScenario(name)) as { name: string; title: string; description: string },
    ),
  )
  return [
    `# Scenarios and faults\n\n${made}`,
    'What `--rehearse` takes, and what a scenario can put into its `faults`. How to write one: [rehearsing](../rehearsal.md).\n',
    ...scenarios.map(({ name, title, description }) => `## ${name}\n\n${title}.\n\n${description.trim()}\n`),
    '## Faults\n\n| Fault | What is then wrong | `with` |\n|---|---|---|',
    ...faults.map(({ name, summary, params }) => {
      const fields = Object.entries(params.properties).map(([field, schema]) => {
        const given = schema['default'] === undefined ? '' : ` (${JSON.stringify(schema['default'])})`
        return `\`${field}\`${given}: ${schema.description}`
      })
      return `| \`${name}\` | ${cell(summary)} | ${cell(fields.join('<br>'))} |`
    }),
    '',
  ].join('\n')
}

/** A row for each field, and for the fields inside of it. */
function fieldRows(schema: Schema, before: string): string[] {
  const inside = schema['type'] === 'array' && isObject(schema['items']) ? (schema['items'] as Schema) : schema
  const properties = (isObject(inside['properties']) ? inside['properties'] : {}) as { readonly [name: string]: Schema }
  const required = Array.isArray(inside['required']) ? inside['required'] : []
  return Object.entries(properties).flatMap(([name, field]) => {
    const path = `${before}${name}`
    const optional = required.includes(name) ? '' : ', optional'
    const row = `| \`${path}\` | ${cell(`${typeOf(field)}${optional}`)} | ${cell(String(field['description'] ?? ''))} |`
    return [row, ...fieldRows(field, `${path}${field['type'] === 'array' ? '[]' : ''}.`)]
  })
}

function typeOf(schema: Schema): string {
  const kind = kindOf(schema)
  if (kind !== 'plain') return kindWords[kind]
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``).join(' or ')
  if (schema['type'] === 'array')
    return `list${isObject(schema['items']) ? ` of ${typeOf(schema['items'] as Schema)}` : ''}`
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as Schema[]).map(typeOf).join(' or ')
  return [schema['type'] ?? 'anything'].flat().join(' or ')
}

/** Text that stands in a cell of a table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
