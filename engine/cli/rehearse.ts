import { appendFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringifyYaml } from '../document/write.ts'
import { exitCode, RunbookError } from '../error.ts'
import type { JsonObject } from '../json.ts'
import type { Io } from './io.ts'

export interface RehearseOptions {
  readonly folder?: string
  readonly effects?: string
  readonly speed?: number
}

/** `runbook rehearse`: a world of its own, for as long as the process lives. */
export async function rehearse(
  name: string | undefined,
  options: RehearseOptions,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const { loadScenario, ScenarioError, scenarioNames, startRehearsal } = await import('../../simulator/index.ts')
  if (name === undefined) {
    const width = Math.max(...scenarioNames().map((each) => each.length))
    for (const each of scenarioNames())
      io.stdout.write(
        `${each.padEnd(width)}  ${String(((await loadScenario(each)) as { title?: string }).title ?? '')}\n`,
      )
    return exitCode.done
  }
  const folder =
    options.folder === undefined ? mkdtempSync(join(tmpdir(), 'runbook-world-')) : resolve(io.cwd, options.folder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const effects = options.effects === undefined ? join(folder, 'effects.jsonl') : resolve(io.cwd, options.effects)
  appendFileSync(effects, '')
  try {
    const world = await startRehearsal({
      scenario: await loadScenario(name),
      speed: options.speed ?? 1,
      onEffect: (effect) => appendFileSync(effects, `${JSON.stringify(effect)}\n`),
    })
    try {
      const write = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 })
      write('id', world.ssh.privateKey)
      write('known_hosts', world.ssh.knownHosts)
      write('clouds.yaml', stringifyYaml(world.clouds as unknown as JsonObject))
      const ssh = { identity_file: 'id', known_hosts: 'known_hosts', config: 'ssh_config' }
      write('ssh_config', '# nothing: everything is in the inventory\n')
      write('inventory.yaml', stringifyYaml({ ...(world.inventory as JsonObject), ssh, clouds_file: 'clouds.yaml' }))
      io.stdout.write(
        `the rehearsal cloud \`${name}\` is up; it lives until this process is stopped\n\n  runbook exec daily-inspection --inventory ${join(folder, 'inventory.yaml')}\n\n`,
      )
      io.stdout.write(
        `  export OS_CLIENT_CONFIG_FILE=${join(folder, 'clouds.yaml')} OS_CLOUD=${Object.keys(world.clouds.clouds)[0]}\n  every change made to it is appended to ${effects}\n`,
      )
      await untilStopped(signal)
      return exitCode.done
    } finally {
      await world.close()
    }
  } catch (error) {
    if (error instanceof ScenarioError)
      throw new RunbookError('bad_scenario', error.message, { hint: error.hint, cause: error })
    throw error
  }
}

function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
