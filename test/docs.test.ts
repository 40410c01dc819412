/** What the pages say is so: YAML is checked, commands and options exist, links lead somewhere. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { Command } from 'commander'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { addCommands } from '../engine/cli/commands.ts'
import { configSchema } from '../engine/cli/config.ts'
import type { Io } from '../engine/cli/io.ts'
import { allWords, rootWords } from '../engine/document/grammar.ts'
import { exitCode } from '../engine/error.ts'
import { functionNames } from '../engine/expression/functions.ts'
import { inventorySchema } from '../engine/inventory/inventory.ts'
import { validatorOf } from '../engine/schema.ts'
import { helperNames } from '../engine/template/helper-set.ts'
import { referencePages } from '../scripts/reference-pages.ts'
import { readScenario } from '../simulator/scenario.ts'
import { program as cli } from './support/program.ts'
import { runCli } from './support/run-cli.ts'

const root = join(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'runbook-docs-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Page {
  readonly path: string
  readonly text: string
}

interface Block {
  readonly where: string
  readonly language: string
  /** What the fence says behind the language: `steps`, `fails`, `fragment`, a file … */
  readonly kind: string
  readonly text: string
}

const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...pagesIn('docs')].map(
  (path): Page => ({ path, text: readFileSync(join(root, path), 'utf8') }),
)
const blocks = pages.flatMap(blocksOf)
const program = new Command('runbook').version('0')
addCommands(program, {} as Io, new AbortController().signal, () => undefined)

/** Around the steps of a page that has only steps. */
const frame = `apiVersion: runbook/v1
name: example
inputs:
  host: { type: string, description: A host }
  hosts: { type: string, description: Hosts }
  limit: { type: number, description: A limit }
  note: { type: string, description: A note }
  list: { type: array, items: { type: string }, description: A list }
steps:
`

describe('YAML', () => {
  const written = blocks.filter(({ language }) => language === 'yaml')

  test('stands in the pages', () => expect(written.length).toBeGreaterThan(20))

  test.each(written)('$where', async ({ kind, text, where }) => {
    const value: unknown = parse(text)
    if (kind === 'inventory') expect(validatorOf(inventorySchema)(value)).toEqual([])
    else if (kind === 'config') expect(validatorOf(configSchema)(value)).toEqual([])
    else if (kind === 'scenario') expect(readScenario(value).faults.length).toBeGreaterThan(0)
    else if (kind === 'fragment' || kind.endsWith('.yaml')) expect(value).toBeTypeOf('object')
    else {
      expect(['', 'steps', 'fails']).toContain(kind)
      const whole = kind === 'steps' ? `${frame}${text.replaceAll(/^(?=.)/gm, '  ')}` : text
      const { exit, stderr, stdout } = await checked(where, whole)
      if (kind === 'fails') expect(stdout + stderr).toMatch(/^error RB\d{4}/m)
      else expect(stderr + stdout).toMatch(/no problems/)
      expect(exit).toBe(kind === 'fails' ? 2 : 0)
    }
  })
})

describe('commands', () => {
  const shown = pages.flatMap(commandsOf)

  test('stand in the pages', () => expect(shown.length).toBeGreaterThan(20))

  test.each(shown)('$where: $line', ({ line, whole }) => {
    const [name = '', ...rest] = wordsOf(line)
    if (name.startsWith('-')) return expect(['-V', '--version', '-h', '--help']).toContain(name)
    const command = program.commands.find((each) => each.name() === name)
    expect(command?.name() ?? (name === 'help' ? 'help' : undefined)).toBe(name)
    if (!command) return
    const given: string[] = []
    for (let at = 0; at < rest.length; at++) {
      const word = rest[at] ?? ''
      if (!word.startsWith('-')) given.push(word)
      else {
        const option = command.options.find(({ long, short }) => long === word.split('=')[0] || short === word)
        expect(`${name} ${option?.long ?? 'has no such option'}`).toBe(
          `${name} ${option?.short === word ? option.long : word.split('=')[0]}`,
        )
        if (option?.required && !word.includes('=')) at++
      }
    }
    const [least, most] = [
      command.registeredArguments.filter(({ required }) => required).length,
      command.registeredArguments,
    ]
    if (whole) expect(given.length).toBeGreaterThanOrEqual(least)
    if (!most.some(({ variadic }) => variadic)) expect(given.length).toBeLessThanOrEqual(most.length)
  })
})

test.each(pages)('$path: every link leads somewhere', ({ path, text }) => {
  const wrong = [...prose(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [file = '', anchor] = link.split('#')
    const target = file === '' ? join(root, path) : join(root, dirname(path), file)
    if (!existsSync(target)) return [link]
    return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).includes(anchor) ? [] : [link]
  })
  expect(wrong).toEqual([])
})

test('every npm script that the pages name is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object }
  const named = pages.flatMap(({ text }) => [...text.matchAll(/`npm run ([\w:]+)`/g)].map(([, name = '']) => name))
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

test('pages that are made from the code are what the code makes of them', async () => {
  // `npm run reference` makes them anew
  for (const [path, text] of Object.entries(await referencePages()))
    expect(readFileSync(join(root, path), 'utf8') === text ? path : `${path} is stale`).toBe(path)
})

test('every exit code has its row', () => {
  const { text } = pageAt('docs/reference/exit-codes.md')
  const rows = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  expect(rows).toEqual(Object.values(exitCode).toSorted((a, b) => a - b))
})

test('every word of the language has its row', () => {
  const { text } = pageAt('docs/reference/language.md')
  const told = new Set(
    [...text.matchAll(/^\|([^|]*)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`(\w+)`/g)].map(([, word]) => word),
    ),
  )
  expect(
    [...Object.keys(rootWords), ...allWords].filter((word) => !told.has(word) && !['id', 'name'].includes(word)),
  ).toEqual([])
  expect([...functionNames(), ...helperNames()].filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
})

describe('programs in the pages', () => {
  test('the verifier in another language knows a whole transcript from a changed one', async () => {
    if (spawnSync('python3', ['--version']).status !== 0) return console.warn('no python3 here: not tried')
    const folder = join(scratch, 'verify')
    mkdirSync(folder)
    writeFileSync(join(folder, 'verify.py'), blockOf('python', '').text)
    writeFileSync(
      join(folder, 'it.yaml'),
      `apiVersion: runbook/v1\nname: it\nsteps:\n  - id: say\n    let: { what: "'grün'" }\n`,
    )
    const { exit } = await runCli(['exec', 'it.yaml', '--runs', 'runs'], { cwd: folder, home: scratch })
    expect(exit).toBe(0)
    const [run = ''] = readdirSync(join(folder, 'runs'))
    const path = join(folder, 'runs', run, 'transcript.jsonl')
    const verify = () => spawnSync('python3', ['verify.py', path], { cwd: folder, encoding: 'utf8' })
    expect(verify()).toMatchObject({ status: 0, stdout: expect.stringMatching(/^whole: \d+ lines, [0-9a-f]{64}\n$/) })
    writeFileSync(path, readFileSync(path, 'utf8').replace('grün', 'rot'))
    expect(verify()).toMatchObject({ status: 1, stderr: expect.stringMatching(/^line \d+ is not what was written/) })
  })

  test('the plugin of the guide does what its test says', () => {
    const folder = join(scratch, 'plugin')
    const installed = join(folder, 'node_modules', 'runbook')
    mkdirSync(join(folder, 'node_modules', '.bin'), { recursive: true })
    mkdirSync(installed)
    const api = { name: 'runbook', type: 'module', exports: './api.js' }
    writeFileSync(join(installed, 'package.json'), JSON.stringify(api))
    writeFileSync(join(installed, 'api.js'), `export * from ${JSON.stringify(join(dirname(cli), 'api.js'))}\n`)
    writeFileSync(
      join(folder, 'node_modules', '.bin', 'runbook'),
      `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`,
      { mode: 0o755 },
    )
    for (const name of ['pool.mjs', 'pool.test.mjs']) writeFileSync(join(folder, name), blockOf('js', name).text)
    for (const name of ['runbook.config.yaml', 'drain.yaml'])
      writeFileSync(join(folder, name), blockOf('yaml', name).text)
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    const env = { PATH: process.env['PATH'], HOME: scratch, NODE_NO_WARNINGS: '1' }
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--test', 'pool.test.mjs'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    })
    expect(`${stdout}${stderr}`).toMatch(/pass 1/)
    expect(status).toBe(0)
  })
})

function pageAt(wanted: string): Page {
  const page = pages.find(({ path }) => path === wanted)
  if (!page) throw new Error(`there is no page ${wanted}`)
  return page
}

function blockOf(language: string, kind: string): Block {
  const block = blocks.find((each) => each.language === language && each.kind === kind)
  if (!block) throw new Error(`no page has the block ${language} ${kind}`)
  return block
}

async function checked(where: string, text: string) {
  const folder = join(scratch, where.replaceAll(/\W+/g, '-'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'example.yaml'), text)
  return runCli(['check', 'example.yaml'], { cwd: folder, home: scratch })
}

function pagesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith(join('docs', 'codes')))
    .toSorted()
}

function blocksOf({ path, text }: Page): Block[] {
  return [...text.matchAll(/^```(\w*) ?([\w.]*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    where: `${path}:${text.slice(0, match.index).split('\n').length}`,
    language: match[1] ?? '',
    kind: match[2] ?? '',
    text: match[3] ?? '',
  }))
}

/** Commands of `sh` blocks, those behind a prompt, and those in the text; only the first are told whole. */
function commandsOf(page: Page): { where: string; line: string; whole: boolean }[] {
  const fenced = blocksOf(page).flatMap(({ language, text, where }) =>
    text.split('\n').flatMap((each) => {
      const line = language === 'text' ? (/^\$ (.*)/.exec(each)?.[1] ?? '') : language === 'sh' ? each : ''
      return line.split(' && ').flatMap((part) => {
        const [, command] = /^(?:npx )?runbook (.*?)(?: [>#|].*)?$/.exec(part.trim()) ?? []
        return command === undefined ? [] : [{ where, line: command, whole: true }]
      })
    }),
  )
  const inline = [...prose(page.text).matchAll(/`(?:npx )?runbook ([a-z-][^`]*)`/g)].map(([, line = '']) => ({
    where: page.path,
    line,
    whole: false,
  }))
  return [...fenced, ...inline]
}

function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '')
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word)
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
