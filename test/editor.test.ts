import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { TextDocument } from 'vscode-languageserver-textdocument'
import { describe, expect, test } from 'vitest'
import { getLanguageService } from 'yaml-language-server'
import { shipped } from '../engine/cli/shipped.ts'
import type { Schema } from '../engine/json.ts'
import { faults } from '../simulator/faults.ts'

/** The language server that editors use for YAML, with the schema as it is published. */
const editor = getLanguageService({
  schemaRequestService: async (uri) => readFileSync(new URL(uri), 'utf8'),
  workspaceContext: { resolveRelativePath: (path, document) => new URL(path, document).href },
  telemetry: { send: () => undefined, sendError: () => undefined, sendTrack: () => undefined },
})
const published = (name: string) => JSON.parse(readFileSync(`schemas/${name}.schema.json`, 'utf8')) as object
const schemas = ['runbook', 'scenario'].map((name) => ({
  uri: name,
  fileMatch: [`*.${name}.yaml`],
  schema: published(name),
}))
editor.configure({ validate: true, completion: true, hover: true, schemas })

const head = 'apiVersion: runbook/v1\nname: x\nsteps:\n'
let documents = 0
const open = (text: string, uri = `file:///${++documents}.runbook.yaml`) => TextDocument.create(uri, 'yaml', 1, text)

/** What is offered where `|` stands. */
async function offered(text: string, kind = 'runbook'): Promise<readonly string[]> {
  const at = text.indexOf('|')
  const document = open(text.replace('|', ''), `file:///${++documents}.${kind}.yaml`)
  const { items } = await editor.doComplete(document, document.positionAt(at), false)
  return items.map(({ label }) => label)
}

describe('an editor', () => {
  test.each(shipped)('completes what $name takes', async ({ name, params }) => {
    const names = await offered(`${head}  - id: a\n    action: ${name}\n    with:\n      |\n`)
    expect(names).toEqual(expect.arrayContaining(Object.keys((params['properties'] ?? {}) as Schema)))
  })

  const noted = '  - id: a\n    action: ssh.run\n    with: { command: uptime }\n'
  test.each([
    [
      'in a block',
      '  - id: g\n    block:\n      - id: a\n        action: ssh.run\n        with:\n          |\n',
      'command',
    ],
    [
      'in what undoes a step',
      `${noted}    rollback:\n      - action: ssh.run\n        with:\n          |\n`,
      'command',
    ],
    ['with the actions', '  - id: a\n    action: |\n', 'openstack.server.live_migrate'],
    ['with the words of a step', `${noted}    |\n`, 'in_doubt'],
    ['with the values of a word', `${noted}    effect: |\n`, 'destructive'],
  ])('completes %s', async (_where, text, label) => {
    expect(await offered(head + text)).toContain(label)
  })

  test.each(['  - |', '  - id: a\n    |\n', '  - id: a\n    for_each: inputs.hosts\n    |'])(
    'offers what a step may be while it is only begun: %j',
    async (text) => {
      const words = await offered(head + text)
      expect(words).toEqual(expect.arrayContaining(['action', 'let', 'block', 'parallel', 'runbook', 'when', 'key']))
      expect(new Set(words).size).toBe(words.length)
    },
  )

  test('completes what an input is', async () => {
    expect(await offered('apiVersion: runbook/v1\nname: x\ninputs:\n  host:\n    |\n')).toEqual(
      expect.arrayContaining(['type', 'description', 'default', 'secret', 'enum']),
    )
  })

  const scenario = 'apiVersion: runbook/v1\nname: x\ntitle: x\ndescription: x\nfaults:\n'
  test('completes the faults of a scenario', async () => {
    expect(await offered(`${scenario}  - fault: |\n`, 'scenario')).toEqual(faults.map(({ name }) => name))
  })

  test.each(faults)('completes what the fault $name takes', async ({ name, params }) => {
    const words = await offered(`${scenario}  - fault: ${name}\n    with:\n      |\n`, 'scenario')
    expect(words).toEqual(expect.arrayContaining(Object.keys(params.properties)))
  })

  test.each([
    ['a parameter that does not exist', 'with: { comand: uptime }', 'comand'],
    ['a word that does not exist', 'with: { command: uptime }\n    whenn: "true"', 'whenn'],
  ])('marks %s', async (_what, rest, word) => {
    const text = `${head}  - id: a\n    action: ssh.run\n    ${rest}\n`
    const document = open(text)
    const problems = await editor.doValidation(document, false)
    expect(problems.map(({ range }) => document.getText(range))).toContain(word)
  })

  test.each(readdirSync('runbooks').filter((name) => name.endsWith('.yaml')))(
    'has nothing to say about %s, which names its schema',
    async (name) => {
      const text = readFileSync(resolve('runbooks', name), 'utf8')
      expect(text).toMatch(/^# yaml-language-server: \$schema=/m)
      const document = open(text, pathToFileURL(resolve('runbooks', name)).href)
      expect(await editor.doValidation(document, false)).toEqual([])
    },
  )
})
