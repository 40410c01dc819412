import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

/** `docker ps` as docker 24 prints it: the containers that run, with what their checks say. */
export function dockerProgram(machine: Machine): Program {
  return async (me, args) => {
    const { rest } = readOptions(args, [])
    if (rest[0] !== 'ps') {
      me.err(`docker: '${rest[0] ?? ''}' is not a docker command.\nSee 'docker --help'\n`)
      return 1
    }
    me.out('CONTAINER ID   IMAGE     COMMAND   CREATED      STATUS                PORTS     NAMES\n')
    for (const [name, health] of machine.containers) {
      if (health === 'gone') continue
      const id = Buffer.from(name.padEnd(6)).toString('hex').slice(0, 12)
      me.out(`${id}   kolla     "start"   5 days ago   ${`Up 2 hours (${health})`.padEnd(21)}           ${name}\n`)
    }
    return 0
  }
}
