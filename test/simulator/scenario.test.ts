import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { validatorOf } from '../../engine/schema.ts'
import { faults } from '../../simulator/faults.ts'
import { loadScenario, readScenario, ScenarioError, scenarioNames } from '../../simulator/scenario.ts'

const minimal = { apiVersion: 'runbook/v1', name: 'mine', title: 'Mine', description: '', faults: [] }
const withFault = (fault: object) => ({ ...minimal, faults: [fault] })

const problem = (value: unknown): ScenarioError => {
  try {
    readScenario(value)
  } catch (error) {
    if (error instanceof ScenarioError) return error
    throw error
  }
  throw new Error('nothing was wrong with it')
}

describe.each(scenarioNames())('%s', (name) => {
  test('can be read and is named after its file', async () => {
    expect(await loadScenario(name)).toMatchObject({ name, apiVersion: 'runbook/v1' })
  })

  test('tells a trainee what to see and what to find', async () => {
    const { title, description } = readScenario(await loadScenario(name))
    expect(title).not.toBe('')
    expect(description.length).toBeGreaterThan(100)
  })
})

test('the shipped scenarios are the files of the folder', async () => {
  const files = await readdir(new URL('../../simulator/scenarios/', import.meta.url))
  expect(scenarioNames()).toEqual(files.map((file) => file.replace('.yaml', '')).sort())
  expect(scenarioNames()).toContain('healthy')
})

test('an unknown scenario suggests the nearest, and lists them all when none is near', async () => {
  await expect(loadScenario('helthy')).rejects.toMatchObject({
    message: 'there is no scenario `helthy`',
    hint: 'did you mean `healthy`?',
  })
  await expect(loadScenario('quite-another')).rejects.toMatchObject({
    hint: expect.stringMatching(/^there are `agent-dead`, .*`servers-in-error`$/),
  })
})

test('a scenario of one’s own is read from a path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'scenario-'))
  const path = join(folder, 'mine.yaml')
  await writeFile(path, JSON.stringify(withFault({ fault: 'nova.compute_down', with: { host: 'cmp2' } })))
  expect(await loadScenario(path)).toMatchObject({ name: 'mine' })
  await writeFile(path, 'name: [')
  await expect(loadScenario(path)).rejects.toThrow(/is no YAML: .* at line \d+, column \d+$/)
  await expect(loadScenario(join(folder, 'none.yaml'))).rejects.toThrow(/cannot read the scenario/)
})

test.each([
  {
    wrong: 'an unknown fault',
    value: withFault({ fault: 'nova.compute_donw' }),
    message: /no fault `nova.compute_donw`/,
  },
  { wrong: 'a missing parameter', value: withFault({ fault: 'nova.compute_down' }), message: /`host` is missing/ },
  {
    wrong: 'an unknown parameter',
    value: withFault({ fault: 'nova.compute_down', with: { host: 'cmp1', hots: 1 } }),
    message: /`hots` is no parameter of it; it takes `host`, `minutes`/,
  },
  {
    wrong: 'a parameter of the wrong type',
    value: withFault({ fault: 'nova.compute_down', with: { host: 7 } }),
    message: /`host` must be a text, not 7/,
  },
  {
    wrong: 'a parameter out of range',
    value: withFault({ fault: 'cinder.pool_full', with: { percent_free: 200 } }),
    message: /`percent_free` must be at most 100/,
  },
  {
    wrong: 'a word that is none of the possible ones',
    value: withFault({ fault: 'api.slow', with: { service: 'swift' } }),
    message: /`service` must be one of `keystone`/,
  },
  {
    wrong: 'a moment that is no duration',
    value: withFault({ fault: 'nova.servers_in_error', after: 'soon' }),
    message: /`after` must be a duration/,
  },
  {
    wrong: 'what it waits for that is no change',
    value: withFault({ fault: 'nova.servers_in_error', once: 'reboot' }),
    message: /`once` must be a change as the effect log tells it/,
  },
  { wrong: 'an unknown field', value: { ...minimal, fault: [] }, message: /no field `fault`/ },
  { wrong: 'another version', value: { ...minimal, apiVersion: 'v2' }, message: /`apiVersion` must be/ },
  { wrong: 'an unknown part of the topology', value: { ...minimal, topology: { nodes: 3 } }, message: /no `nodes`/ },
  { wrong: 'no mapping at all', value: [], message: /must be a mapping/ },
])('$wrong is refused', ({ value, message }) => {
  expect(problem(value).message).toMatch(message)
})

test('a misspelt fault suggests the nearest', () => {
  expect(problem(withFault({ fault: 'nova.compute_donw' })).hint).toBe('did you mean `nova.compute_down`?')
})

test('parameters get their defaults, and the moment becomes milliseconds', () => {
  const { faults } = readScenario(withFault({ fault: 'nova.compute_down', with: { host: 'cmp1' }, after: '1h30m' }))
  expect(faults).toMatchObject([{ params: { host: 'cmp1', minutes: 20 }, after: 5_400_000 }])
})

describe('the schema of scenario files', async () => {
  const schema = JSON.parse(await readFile(new URL('../../schemas/scenario.schema.json', import.meta.url), 'utf8'))

  test('is closed: what the reader takes is what it names', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(
      ['apiVersion', 'description', 'expect', 'faults', 'name', 'title', 'topology'].sort(),
    )
    expect(schema.additionalProperties).toBe(false)
  })

  test.each(scenarioNames())('fits %s', async (name) => {
    const file = new URL(`../../simulator/scenarios/${name}.yaml`, import.meta.url)
    expect(validatorOf(schema)(parse(await readFile(file, 'utf8')))).toEqual([])
  })

  test('refuses what the reader refuses', () => {
    const fits = (value: unknown) => validatorOf(schema)(value).length === 0
    expect(fits(minimal)).toBe(true)
    expect(fits({ ...minimal, fault: [] })).toBe(false)
    expect(fits(withFault({ fault: 'nova.servers_in_error', after: 'soon' }))).toBe(false)
    expect(fits(withFault({ fault: 'nova.servers_in_error', once: 'reboot' }))).toBe(false)
    expect(fits(withFault({ fault: 'nova.servers_in_error', once: 'host.reboot cmp1' }))).toBe(true)
    expect(fits({ ...minimal, topology: { nodes: 3 } })).toBe(false)
  })
})

describe('faults', () => {
  test('have different names', () => {
    const names = faults.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(faults)('$name describes itself and each of its parameters', ({ summary, params }) => {
    expect(summary).toMatch(/^\w.*[^.]$/)
    expect(params.additionalProperties).toBe(false)
    for (const field of Object.values(params.properties)) expect(field.description).not.toBe('')
    for (const name of params.required ?? []) expect(params.properties).toHaveProperty(name)
  })
})
