import { resolve } from 'node:path'
import { StepFailure } from '../action/contract.ts'
import { printable } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import { configOf } from './config.ts'
import type { Io } from './io.ts'
import { openSurroundings } from './surroundings.ts'

const atOnce = 20

/** `check --connect`: reaches every host and reads the cloud's configuration, without running anything. */
export async function connect(io: Io, options: { readonly inventory?: string }, signal: AbortSignal): Promise<number> {
  const path = options.inventory ?? configOf(io).inventory
  const surroundings = await openSurroundings(io, {
    inventory: path === undefined ? undefined : resolve(io.cwd, path),
    limit: undefined,
    rehearse: undefined,
    speed: undefined,
    effects: undefined,
  })
  try {
    const ssh = await surroundings.doors.ssh({ onCall: () => undefined, onOutput: () => undefined })
    const hosts = surroundings.hosts.matching('all')
    let bad = 0
    const queue = hosts.values()
    const worker = async () => {
      for (const { name } of queue) {
        const why = await ssh.exec(name, { argv: ['true'] }, signal).then(
          () => undefined,
          (error: unknown) => (error instanceof StepFailure ? error.message : String(error)),
        )
        if (why !== undefined) bad++
        io.stdout.write(
          `${why === undefined ? 'ok    ' : 'failed'} ${printable(name)}${why === undefined ? '' : `: ${printable(why)}`}\n`,
        )
      }
    }
    await Promise.all(Array.from({ length: Math.min(atOnce, hosts.length) }, worker))
    try {
      const cloud = await surroundings.clouds.get()
      io.stdout.write(`ok     cloud ${printable(cloud.name)}: configured\n`)
    } catch (error) {
      if (!(error instanceof RunbookError) || error.code !== 'no_cloud') throw error
    }
    return bad > 0 ? exitCode.failed : exitCode.done
  } finally {
    await surroundings.close()
  }
}
