import { uuidOf } from '../../random.ts'
import { noContainer } from '../commands/docker.ts'
import { readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'

/** What belongs to the server: in a container it is there, and no longer on the host. */
const ownPrograms = [
  'mariadb',
  'mysql',
  'mariadb-admin',
  'mysqladmin',
  'my_print_defaults',
  'mariadbd',
  'galera_new_cluster',
]

/** From now on the database of a host runs in a container, as Kolla makes it: systemd knows nothing of it. */
export function putInContainer(machine: Machine, engine: string): void {
  const unit = machine.units.find('mariadb')
  if (!unit) return
  unit.keptBy = 'container'
  const inside = new Map<string, Program>()
  for (const name of ownPrograms) {
    const program = machine.programs.get(name)
    if (program) inside.set(name, program)
    machine.programs.delete(name)
  }
  machine.programs.set(engine, async (me, args) => containerEngine(machine, engine, inside, me, args))
}

/** `docker` and `podman`: `ps`, `top` and `exec` of the one container there is. */
async function containerEngine(
  machine: Machine,
  engine: string,
  inside: ReadonlyMap<string, Program>,
  me: Process,
  args: readonly string[],
): Promise<number> {
  const [verb, ...more] = args
  const { flags, rest } = readOptions(more, ['u', 'user', 'e', 'env', 'filter', 'f', 'format'], {
    stop: verb === 'exec',
  })
  const unit = machine.units.find('mariadb')
  const running = unit?.active === 'active'
  if (verb === 'ps') {
    const head =
      'CONTAINER ID   IMAGE                                                    COMMAND                  CREATED       STATUS                 PORTS     NAMES'
    const id = uuidOf(`container/${machine.name}`).replaceAll('-', '').slice(0, 12)
    if (!flags.has('q')) me.out(`${head}\n`)
    if (running)
      me.out(
        flags.has('q')
          ? `${id}\n`
          : `${id}   quay.io/openstack.kolla/mariadb-server:2023.1-debian-bookworm   "dumb-init --single-…"   5 weeks ago   Up 5 weeks (healthy)             mariadb\n`,
      )
    return 0
  }
  const [name = '', command = '', ...words] = rest
  if (name !== 'mariadb' || !running) return noContainer(engine, name, me)
  if (verb === 'top') {
    const row = (pid: number, parent: number, what: string) =>
      `42434               ${pid}               ${parent}               0                   Oct24               ?                   00:00:11            ${what}\n`
    const pid = unit?.mainPid ?? 0
    me.out(
      'UID                 PID                 PPID                C                   STIME               TTY                 TIME                CMD\n',
    )
    me.out(row(pid - 1, pid - 2, 'dumb-init --single-child -- kolla_start'))
    me.out(row(pid, pid - 1, unit?.kind.command ?? ''))
    return 0
  }
  if (verb === 'exec') {
    const program = inside.get(command)
    if (program) return program(me, words)
    me.err(
      `OCI runtime exec failed: exec failed: unable to start container process: exec: "${command}": executable file not found in $PATH: unknown\n`,
    )
    return 127
  }
  me.err(`${engine}: only \`ps\`, \`top\` and \`exec\` are part of this rehearsal\n`)
  return 1
}

/** From now on Pacemaker runs the databases, as one resource on all of them: the unit is there, and not what runs. */
export function putUnderPacemaker(machine: Machine, hosts: readonly string[]): void {
  const unit = machine.units.find('mariadb')
  if (!unit) return
  unit.keptBy = 'pacemaker'
  const resources = `  * Clone Set: galera-clone [galera] (promotable):\n    * Promoted: [ ${hosts.join(' ')} ]\n`
  machine.programs.set('crm_resource', async (me, args) => {
    if (!args.includes('--list') && !args.includes('-l')) {
      me.err('crm_resource: only `--list` is part of this rehearsal\n')
      return 1
    }
    me.out(`Full List of Resources:\n${resources}`)
    return 0
  })
  machine.programs.set('pcs', async (me, args) => {
    if (args[0] !== 'resource' || (args[1] ?? 'status') !== 'status') {
      me.err('pcs: only `resource status` is part of this rehearsal\n')
      return 1
    }
    me.out(resources)
    return 0
  })
  machine.programs.set('cibadmin', async (me, args) => {
    const path = readOptions(args, ['xpath', 'A']).flags.get('xpath')
    if (!args.some((arg) => arg === '--query' || arg === '-Q') || path !== '//primitive') {
      me.err('cibadmin: only `--query --xpath //primitive` is part of this rehearsal\n')
      return 1
    }
    me.out(
      '<primitive class="ocf" id="galera" provider="heartbeat" type="galera">\n  <instance_attributes id="galera-instance_attributes">\n    <nvpair id="galera-instance_attributes-wsrep_cluster_address" name="wsrep_cluster_address" value="gcomm://' +
        `${hosts.join(',')}"/>\n  </instance_attributes>\n</primitive>\n`,
    )
    return 0
  })
}
