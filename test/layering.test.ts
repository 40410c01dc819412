/** Who may import whom: `docs/design.md` says it, and this holds the code to it. */
import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'

interface Import {
  readonly from: string
  /** A path from the root for our own files, else the name of a package or of a part of Node. */
  readonly to: string
  readonly ours: boolean
  readonly typeOnly: boolean
}

interface Rule {
  readonly layers: readonly string[]
  readonly packages: readonly string[]
}

const root = join(import.meta.dirname, '..')
const files = ['engine', 'plugins', 'simulator'].flatMap(filesIn)
const imports = files.flatMap(importsOf)
const rules = rulesIn(readFileSync(join(root, 'docs', 'design.md'), 'utf8'))
const forPlugins = ['engine/json.ts', 'engine/duration.ts']
const fileDoors = ['engine/host/', 'engine/cli/', 'engine/cli.ts', 'simulator/scenario.ts']
const vague = /^(utils?|helpers?|common|misc|types?|manager|base)\.ts$/
// Handlebars has helpers, and Cinder has volume types

test('the table of the design names every folder and no other', () => {
  const layers = [...new Set(files.map(layerOf))].filter((layer) => !isGround(layer)).toSorted()
  expect([...rules.keys()].filter((name) => name !== 'engine/schema.ts').toSorted()).toEqual(layers)
  expect(imports.length).toBeGreaterThan(500)
})

describe.each([...rules])('%s', (layer, rule) => {
  const own = imports.filter(({ from }) => layerOf(from) === layer)

  test('imports only the folders that the design allows it', () => {
    const wrong = own.filter(({ ours, to }) => ours && !mayImport(layer, rule, to))
    expect(wrong.map(shown)).toEqual([])
  })

  test('is the door of only the packages that the design names', () => {
    const wrong = own.filter(({ ours, to }) => !ours && !mayUse(rule, to))
    expect(wrong.map(shown)).toEqual([])
  })

  test('uses all that the design allows it', () => {
    const used = new Set(own.map(({ to, ours }) => (ours ? layerOf(to) : packageOf(to))))
    const exact = [...rule.layers, ...rule.packages].filter((name) => !name.endsWith('*'))
    expect(exact.filter((name) => !used.has(name))).toEqual([])
  })
})

test('the files that everybody stands on import only each other', () => {
  const ground = imports.filter(
    ({ from, to }) => isGround(layerOf(from)) && !rules.get(layerOf(from))?.packages.includes(packageOf(to)),
  )
  expect(ground.filter(({ to }) => !isGround(layerOf(to))).map(shown)).toEqual([])
})

test('files and processes are opened in few places', () => {
  const wrong = imports.filter(
    ({ from, to }) => /^node:(fs|child_process)/.test(to) && !fileDoors.some((door) => from.startsWith(door)),
  )
  expect(wrong.map(shown)).toEqual([])
})

test('what the interpreter loads, itself or through others, uses nothing of Node', () => {
  const reached = new Set(files.filter((file) => layerOf(file) === 'engine/run'))
  for (const file of reached)
    for (const { to } of imports.filter(({ from, ours, typeOnly }) => from === file && ours && !typeOnly))
      reached.add(to)
  expect(reached).toContain('engine/template/template.ts')
  const wrong = imports.filter(({ from, to, typeOnly }) => reached.has(from) && !typeOnly && isBuiltin(to))
  expect(wrong.map(shown)).toEqual([])
})

test('nothing is exported without a name', () => {
  expect(files.filter((file) => /^export default\b/m.test(textOf(file)))).toEqual([])
})

test('every file has a name that says what is in it', () => {
  expect(files.filter((file) => vague.test(basename(file)))).toEqual([])
})

function mayImport(layer: string, rule: Rule, to: string): boolean {
  const target = layerOf(to)
  if (target === layer || rule.layers.includes(target)) return true
  if (layer === 'plugins') return forPlugins.includes(to)
  if (!layer.startsWith('engine')) return false
  return isGround(target) || (target.startsWith('engine/') && rule.layers.includes('engine/*'))
}

function mayUse(rule: Rule, to: string): boolean {
  return rule.packages.includes(packageOf(to)) || (isBuiltin(to) && rule.packages.includes('node:*'))
}

/** `engine/run`, `plugins`, `simulator`; a file directly in `engine/` stands for itself, and `cli.ts` belongs to its folder. */
function layerOf(file: string): string {
  const [top = '', second = '', third] = file.split('/')
  if (top !== 'engine') return top
  return file === 'engine/cli.ts' ? 'engine/cli' : third === undefined ? file : `${top}/${second}`
}

function isGround(layer: string): boolean {
  return layer.endsWith('.ts') && layer !== 'engine/api.ts'
}

function packageOf(name: string): string {
  return isBuiltin(name)
    ? name
    : name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/')
}

function shown({ from, to }: Import): string {
  return `${from} imports ${to}`
}

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesIn(path) : path.endsWith('.ts') ? [path] : []
  })
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function importsOf(from: string): Import[] {
  const written = /^(import|export)(\s+type)?\b(?:[^'";]*?\bfrom)?\s*'([^']+)'|\b(import)\(\s*()'([^']+)'\s*\)/gm
  return [...textOf(from).matchAll(written)].map((match) => {
    const name = match[3] ?? match[6] ?? ''
    const ours = name.startsWith('.')
    return { from, to: ours ? join(dirname(from), name) : name, ours, typeOnly: match[2] !== undefined }
  })
}

function rulesIn(page: string): Map<string, Rule> {
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  const rows = page.matchAll(/^\| `(engine\/[\w.]+|plugins|simulator)` \|([^|]*)\|([^|]*)\|$/gm)
  return new Map(
    [...rows].map(([, folder = '', layers = '', packages = '']) => [
      folder,
      { layers: names(layers), packages: names(packages) },
    ]),
  )
}
