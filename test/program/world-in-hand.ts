import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { WorldClock } from '../../simulator/contract.ts'
import { startRehearsal } from '../../simulator/index.ts'
import type { Workspace } from './program.ts'

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: unknown
}

export interface WorldInHand {
  readonly clock: WorldClock
  /** What was done to it so far. */
  done(): readonly string[]
  /** The same with what kind of change each was, and more about it. */
  effects(): readonly Effect[]
  /** Puts the way to it into a folder: its inventory is `world/inventory.yaml` there. */
  lendTo(space: Workspace): void
}

/** Serves a world in this process, whose time the test may move on; `speed` is world seconds a second. */
export async function worldInHand(scenario: object, speed: number): Promise<WorldInHand> {
  const effects: Effect[] = []
  const world = await startRehearsal({ scenario, speed, onEffect: (effect) => effects.push(effect) })
  onTestFinished(() => world.close())
  return {
    clock: world.clock,
    done: () => effects.map(({ what }) => what),
    effects: () => [...effects],
    lendTo(space) {
      mkdirSync(join(space.folder, 'world'))
      space.write('world/id', world.ssh.privateKey)
      space.write('world/known_hosts', world.ssh.knownHosts)
      space.write('world/ssh_config', '')
      space.write('world/clouds.yaml', JSON.stringify(world.clouds))
      const ssh = { identity_file: 'id', known_hosts: 'known_hosts', config: 'ssh_config' }
      space.write('world/inventory.yaml', JSON.stringify({ ...world.inventory, ssh, clouds_file: 'clouds.yaml' }))
    },
  }
}
