import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { stringifyYaml } from '../document/write.ts'
import { exitCode } from '../error.ts'
import { showCommand } from '../host/command.ts'
import type { JsonObject } from '../json.ts'
import type { Io } from './io.ts'
import { beginRehearsal } from './rehearsal.ts'

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
  if (name === undefined) {
    const { loadScenario, scenarioNames } = await import('../../simulator/index.ts')
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
  const world = await beginRehearsal(name, options.speed ?? 1, effects)
  try {
    const write = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 })
    write('id', world.ssh.privateKey)
    write('known_hosts', world.ssh.knownHosts)
    write('clouds.yaml', stringifyYaml(world.clouds as unknown as JsonObject))
    const { hosts } = world.inventory as unknown as Reached
    const beside = {
      ssh: { identity_file: 'id', known_hosts: 'known_hosts', config: 'ssh_config' },
      clouds_file: 'clouds.yaml',
    }
    write('ssh_config', configurationOf(hosts, folder))
    write('inventory.yaml', stringifyYaml({ ...(world.inventory as JsonObject), ...beside }))
    const inventory = ['runbook', 'exec', 'daily-inspection', '--inventory', join(folder, 'inventory.yaml')]
    const ssh = ['ssh', '-F', join(folder, 'ssh_config'), Object.keys(hosts)[0] ?? 'HOST']
    const clouds = `OS_CLIENT_CONFIG_FILE=${showCommand({ argv: [join(folder, 'clouds.yaml')] })}`
    io.stdout.write(`the rehearsal cloud \`${name}\` is up; it lives until this process is stopped

  ${showCommand({ argv: inventory })}
  ${showCommand({ argv: ssh })}

  export ${clouds} OS_CLOUD=${Object.keys(world.clouds.clouds)[0]}
  every change made to it is appended to ${effects}
`)
    await untilStopped(signal)
    return exitCode.done
  } finally {
    await world.close()
  }
}

/** The part of an inventory that says how its hosts are reached. */
interface Reached {
  readonly hosts: { readonly [name: string]: { address: string; ssh: { port: number; user: string } } }
}

/** The same as the inventory, for `ssh` itself: people on a world that lives on have that in their hands. */
function configurationOf(hosts: Reached['hosts'], folder: string): string {
  const path = (name: string) => `"${join(folder, name).replaceAll('%', '%%')}"`
  const each = Object.entries(hosts).map(
    ([name, { address, ssh }]) => `Host ${name}\n  HostName ${address}\n  Port ${ssh.port}\n  User ${ssh.user}\n`,
  )
  return `${each.join('')}Host *
  IdentityFile ${path('id')}
  IdentitiesOnly yes
  UserKnownHostsFile ${path('known_hosts')}
  StrictHostKeyChecking yes
`
}

function untilStopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
