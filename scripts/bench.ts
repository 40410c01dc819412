/**
 * How fast the built program is, as ratios to Node itself where that is possible: both are run in turn, several times, and
 * the middle is taken, so that a busy or a slow machine counts for both. CPU is user and system time of the process, told
 * by the process when it ends. Ends with 1 when a target is missed.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { listing, listServers } from './bench-servers.ts'

interface Cost {
  /** Milliseconds. */
  readonly cpu: number
  /** MiB, at most at once. */
  readonly memory: number
}

interface Row {
  readonly what: string
  readonly measured: string
  /** None for what is only told. */
  readonly target: string | undefined
  readonly met: boolean
}

const folder = mkdtempSync(join(tmpdir(), 'runbook-bench-'))
const program = resolve('dist/cli.js')
const hook = join(folder, 'tell.cjs')
/** Neither it nor a folder above it has a configuration: a check in which plugins take part is made each time. */
const empty = mkdtempSync(join(tmpdir(), 'runbook-bench-empty-'))
const few = 100
const many = 10_000

try {
  writeFileSync(
    hook,
    `process.on('exit', () => {
      const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
      require('node:fs').writeSync(3, JSON.stringify({ cpu: (userCPUTime + systemCPUTime) / 1000, memory: maxRSS / 1024 }))
    })`,
  )
  writeWorld()
  const rows = [...startUp(), ...steps(), large(), ...(await servers())]
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => cells(row)[column]?.length ?? 0)))
  for (const row of rows)
    process.stdout.write(
      `${cells(row)
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
  process.exitCode = rows.every(({ met }) => met) ? 0 : 1
} finally {
  for (const each of [folder, empty]) rmSync(each, { recursive: true, force: true })
}

function cells({ what, measured, target, met }: Row): string[] {
  return target === undefined ? [what, measured] : [what, measured, `target ${target}`, met ? 'met' : 'MISSED']
}

function startUp(): Row[] {
  const inspection = resolve('runbooks/daily-inspection.yaml')
  const copy = join(empty, 'inspection.yaml')
  copyFileSync(inspection, copy)
  const [node, version, shipped, check, first] = inTurn(11, [
    () => cost(['-e', '0']),
    () => cost([program, '--version']),
    () => cost([program, 'check', inspection], empty),
    // kept in the first round, which does not count
    () => cost([program, 'check', copy], empty),
    () => cost([program, 'check', '--no-cache', copy], empty),
  ])
  return [
    ratio('runbook --version', version, node, 1.5),
    ratio('runbook check of the inspection, as shipped', shipped, node, 3),
    ratio('runbook check of a copy of it, unchanged since', check, node, 3),
    ratio('runbook check of a copy of it, the first time', first, node),
  ]
}

/** A step that does nothing, but is recorded and flushed as a change is: the difference to a run with one step. */
function steps(): Row[] {
  // a hundred steps cost little beside what any run costs, so they are tried more often
  const [one, short] = inTurn(9, [() => loop(1), () => loop(few)])
  const [long] = inTurn(2, [() => loop(many)])
  const each = (costs: Cost[] | undefined, count: number) => (middle(costs) - middle(one)) / (count - 1)
  const [first, last] = [each(short, few), each(long, many)]
  const memory = Math.max(...(long ?? []).map((cost) => cost.memory))
  return [
    limit(`a step that does nothing, of ${few}`, first, 1, 'ms CPU'),
    limit(`a step that does nothing, of ${many}`, last, 1, 'ms CPU'),
    limit(`memory of a run with ${many} steps`, memory, 150, 'MiB'),
  ]
}

function large(): Row {
  const [costs] = inTurn(3, [() => cost([program, 'check', '--no-cache', join(folder, 'large.yaml')])])
  return limit('runbook check of 2000 steps', middle(costs), 1000, 'ms CPU')
}

/** Ten thousand servers in pages of a thousand: what the program needs in all. */
async function servers(): Promise<Row[]> {
  writeFileSync(join(folder, 'listing.yaml'), listing)
  const costs: Cost[] = []
  for (let time = 0; time < 3; time++) costs.push(await listServers({ program, hook, folder }, 'listing.yaml'))
  const memory = Math.max(...costs.map((cost) => cost.memory))
  return [
    limit('listing 10000 servers', middle(costs), 8000, 'ms CPU'),
    limit('memory of listing 10000 servers', memory, 350, 'MiB'),
  ]
}

function loop(count: number): Cost {
  return cost([program, 'exec', 'loop.yaml', '--inputs', `${count}.json`, '--runs', join(folder, 'runs')])
}

/** Runs each once, then each again: what disturbs the machine disturbs all of them. */
function inTurn(times: number, all: readonly (() => Cost)[]): Cost[][] {
  const costs = all.map((): Cost[] => [])
  for (let time = 0; time <= times; time++)
    for (const [index, measure] of all.entries()) {
      const found = measure()
      // the first round only warms the disk
      if (time > 0 || times === 0) costs[index]?.push(found)
    }
  return costs
}

function cost(args: readonly string[], cwd = folder): Cost {
  const { status, stderr, output } = spawnSync(process.execPath, ['--require', hook, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`\`node ${args.join(' ')}\` ended with ${status}: ${stderr}`)
  return JSON.parse(output[3] ?? '') as Cost
}

function middle(costs: readonly Cost[] | undefined): number {
  const sorted = (costs ?? []).map(({ cpu }) => cpu).toSorted((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}

function ratio(
  what: string,
  costs: readonly Cost[] | undefined,
  base: readonly Cost[] | undefined,
  most?: number,
): Row {
  const [own, node] = [middle(costs), middle(base)]
  const measured = `${(own / node).toFixed(2)} x node -e 0 (${own.toFixed(0)} to ${node.toFixed(0)} ms CPU)`
  return most === undefined
    ? { what, measured, target: undefined, met: true }
    : { what, measured, target: `<= ${most}`, met: own / node <= most }
}

function limit(what: string, value: number, most: number, unit: string): Row {
  return {
    what,
    measured: `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`,
    target: `<= ${most} ${unit}`,
    met: value <= most,
  }
}

function writeWorld(): void {
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text)
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
  put('runbook.config.yaml', 'apiVersion: runbook/v1\nplugins: [./nothing.mjs]\n')
  put(
    'nothing.mjs',
    `export const actions = [{ name: 'bench.nothing', summary: 'does nothing', effect: 'change', params: { type: 'object', additionalProperties: false, properties: {} },
      result: { type: 'object', additionalProperties: false, properties: {} }, examples: [{}], run: async () => ({}) }]`,
  )
  for (const count of [1, few, many]) put(`${count}.json`, JSON.stringify({ items: numbers(count) }))
  put(
    'loop.yaml',
    `apiVersion: runbook/v1
name: loop
inputs:
  items: { type: array, items: { type: integer }, description: One item for each time }
steps:
  - id: each
    for_each: inputs.items
    action: bench.nothing
    with: {}
`,
  )
  const step = (index: number) => `  - id: s${index}
    name: Step ${index} of {{ inputs.host }}
    when: ${index === 0 ? 'true' : `steps.s${index - 1}.status == 'succeeded'`}
    action: local.run
    effect: read
    with: { command: "echo {{ inputs.host }} ${index}", parse: lines }
    verify:
      - that: size(result.value) > 0
        message: nothing came back
`
  put(
    'large.yaml',
    `apiVersion: runbook/v1\nname: large\ninputs:\n  host: { type: string, description: A host }\nsteps:\n${numbers(2000).map(step).join('')}`,
  )
}
