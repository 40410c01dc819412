import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

/** A container: what its check says, the unit that would run it on another host, and the programs it has. */
export interface Container {
  health: string
  readonly unit?: string
  readonly programs?: ReadonlyMap<string, Program>
}

/** `docker` and `podman`: `ps` as docker 24 prints it, `exec` and `restart`. */
export function dockerProgram(machine: Machine, engine = 'docker'): Program {
  return async (me, args) => {
    const [verb = '', ...more] = args
    const { flags, rest } = readOptions(more, ['t', 'time', 'u', 'user'], { stop: verb === 'exec' })
    if (verb === 'ps') return list(machine, me, flags.has('a') || flags.has('all'))
    if (verb !== 'exec' && verb !== 'restart') {
      me.err(`${engine}: '${verb}' is not a ${engine} command.\nSee '${engine} --help'\n`)
      return 1
    }
    if (me.user !== 'root') {
      me.err('permission denied while trying to connect to the Docker daemon socket\n')
      return 1
    }
    const [name = '', ...command] = rest
    const container = machine.containers.get(name)
    if (!container || container.health === 'gone') return noContainer(engine, name, me)
    return verb === 'exec' ? inside(machine, container, name, me, command) : restart(machine, container, name, me)
  }
}

/** As either says it; gives the exit code of either. */
export function noContainer(engine: string, name: string, me: Process): number {
  const podman = engine === 'podman'
  me.err(
    podman
      ? `Error: no container with name or ID "${name}" found: no such container\n`
      : `Error response from daemon: No such container: ${name}\n`,
  )
  return podman ? 125 : 1
}

const runs = (machine: Machine, { unit }: Container): boolean =>
  unit === undefined || machine.units.find(unit)?.active === 'active'

function list(machine: Machine, me: Process, all: boolean): number {
  me.out('CONTAINER ID   IMAGE     COMMAND   CREATED      STATUS                PORTS     NAMES\n')
  for (const [name, container] of machine.containers) {
    const up = runs(machine, container)
    if (container.health === 'gone' || (!up && !all)) continue
    const id = Buffer.from(name.padEnd(6)).toString('hex').slice(0, 12)
    const status = up ? `Up 2 hours (${container.health})` : 'Exited (1) 20 minutes ago'
    me.out(`${id}   kolla     "start"   5 days ago   ${status.padEnd(21)}           ${name}\n`)
  }
  return 0
}

async function inside(
  machine: Machine,
  container: Container,
  name: string,
  me: Process,
  [command = '', ...words]: readonly string[],
): Promise<number> {
  if (!runs(machine, container)) {
    me.err(`Error response from daemon: container ${name} is not running\n`)
    return 1
  }
  if (command === 'true') return 0
  const program = container.programs?.get(command)
  if (program) return program(me, words)
  me.err(
    `OCI runtime exec failed: exec failed: unable to start container process: exec: "${command}": executable file not found in $PATH: unknown\n`,
  )
  return 127
}

async function restart(machine: Machine, { unit }: Container, name: string, me: Process): Promise<number> {
  me.effect('host.container.restart', `${machine.name}:${name}`)
  if (unit !== undefined) await me.sleep(machine.units.restart(unit))
  me.out(`${name}\n`)
  return 0
}
