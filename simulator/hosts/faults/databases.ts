import type { Fault } from '../../fault.ts'
import type { World } from '../../world.ts'
import type { Holder } from '../galera/clients.ts'
import { sayNoFiles } from '../galera/error-log.ts'
import { putInContainer, putUnderPacemaker } from '../galera/keepers.ts'
import { readSettings } from '../galera/mariadbd.ts'
import { folderOf } from '../machine/files.ts'
import { fault, machineOf, type Param, percentage } from './fault.ts'

const node: Param = { type: 'string', description: 'The database host' }
const anyNode: Param = {
  type: 'string',
  default: '',
  description: 'One database host only; all of them, when it is empty',
}
const starts: Param = { type: 'integer', default: 1, minimum: 1, description: 'How many starts it concerns' }

/** What can be wrong with Galera. */
export const databaseFaults: Fault[] = [
  fault(
    'galera.split',
    'A database node has a cluster of its own: it says it is Primary and alone, while the others go on without it',
    { node },
    (world, { node }) => {
      dbNode(world, node).split = true
      world.estate.galera.look()
    },
  ),
  fault('galera.not_synced', 'A database node runs and answers, and is not Synced', { node }, (world, { node }) => {
    dbNode(world, node).desynced = true
  }),
  fault(
    'galera.connections_high',
    'The databases are almost out of connections',
    {
      percent: percentage('Connections in use, of the limit', 96),
      node: anyNode,
    },
    (world, { percent, node }) => {
      for (const each of dbNodes(world, node)) {
        const wants = Math.round((each.maxConnections * Number(percent)) / 100) - each.clients.connected()
        each.clients.holders.push(holder('nova', wants, { seconds: 5 }))
        if (Number(percent) >= 95) each.clients.hadRefused(Math.round(each.maxConnections / 7))
      }
    },
  ),
  fault(
    'galera.too_many_connections',
    'Services want more connections than the database gives: it turns them away, and they try again',
    {
      node: anyNode,
      user: { type: 'string', default: 'nova', description: 'Whose they are' },
      wants: { type: 'integer', default: 2_600, minimum: 1, description: 'How many it wants of each node' },
      administrator: {
        type: 'boolean',
        default: false,
        description: 'Whether the place kept for an administrator is taken too',
      },
    },
    (world, { node, user, wants, administrator }) => {
      for (const each of dbNodes(world, node)) {
        each.clients.holders.push(holder(String(user), Number(wants), {}))
        each.clients.administratorIn = administrator === true
      }
    },
  ),
  fault(
    'galera.burst',
    'Services wanted more connections than the databases give, for a moment: it is over, and stands in their logs and in the counters',
    { minutes: { type: 'number', default: 5, minimum: 0, description: 'How long ago it was, in minutes' } },
    (world, { minutes }) => {
      for (const { clients } of dbNodes(world, '')) {
        clients.hadBeenFull()
        clients.hadRefused(340)
      }
      const line = "oslo_db.exception.DBConnectionError: (pymysql.err.OperationalError) (1040, 'Too many connections')"
      for (const name of world.topology.controllers) {
        const machine = machineOf(world, name)
        const pid = machine.units.find('nova-api')?.mainPid ?? 0
        machine.journal.add({
          at: machine.now() - Number(minutes) * 60_000,
          priority: 6,
          message: `ERROR oslo_db.sqlalchemy.engines [-] ${line}`,
          unit: 'nova-api.service',
          identifier: 'nova-api',
          pid,
          bootId: machine.power.boot().id,
        })
      }
    },
  ),
  fault(
    'galera.leak',
    'A service opens connections and forgets them',
    {
      node: anyNode,
      user: { type: 'string', default: 'cinder', description: 'Whose they are' },
      wants: { type: 'integer', default: 2_000, minimum: 1, description: 'How many it has forgotten, if it got them' },
    },
    (world, { node, user, wants }) => {
      for (const { clients } of dbNodes(world, node))
        clients.holders.unshift(holder(String(user), Number(wants), { seconds: 7_200 }))
    },
  ),
  fault(
    'galera.slow_queries',
    'Connections are busy: their queries take minutes',
    {
      node: anyNode,
      user: { type: 'string', default: 'nova', description: 'Whose they are' },
      wants: { type: 'integer', default: 2_200, minimum: 1, description: 'How many there would be' },
    },
    (world, { node, user, wants }) => {
      for (const { clients } of dbNodes(world, node))
        clients.holders.unshift(holder(String(user), Number(wants), { command: 'Query', seconds: 180 }))
    },
  ),
  fault(
    'galera.error_log',
    'The databases write what they say to a file, not to the journal',
    { node: anyNode, path: { type: 'string', default: '/var/log/mysql/error.log', description: 'The file' } },
    (world, { node, path }) => {
      for (const each of dbNodes(world, node)) {
        const machine = machineOf(world, each.name)
        machine.files.folder(folderOf(String(path)), { parents: true })
        machine.files.write('/etc/mysql/mariadb.conf.d/50-error-log.cnf', `[mysqld]\nlog_error = ${String(path)}\n`)
        const unit = machine.units.find('mariadb')
        if (unit) unit.mainPid = machine.processes.claimPid()
        readSettings(each, machine)
        each.startedAt -= 86_400_000
      }
      world.estate.changed()
    },
  ),
  fault(
    'galera.few_files',
    'A database may open so few files that it has lowered its limit of connections by itself',
    {
      node: anyNode,
      files: { type: 'integer', default: 1_500, minimum: 200, description: 'How many its process may open' },
    },
    (world, { node, files }) => {
      for (const each of dbNodes(world, node)) {
        const machine = machineOf(world, each.name)
        const folder = '/etc/systemd/system/mariadb.service.d'
        machine.files.folder(folder, { parents: true })
        machine.files.write(`${folder}/limits.conf`, `[Service]\nLimitNOFILE=${String(files)}\n`)
        const unit = machine.units.find('mariadb')
        if (unit) Object.assign(unit, { loaded: machine.units.dropIns(unit), mainPid: machine.processes.claimPid() })
        readSettings(each, machine)
        each.startedAt -= 86_400_000
      }
      world.estate.changed()
    },
  ),
  fault(
    'galera.limit_cut',
    'A database that is told a higher limit of connections at run time takes less than it is told, with a warning',
    { node: anyNode, most: { type: 'integer', default: 3_000, minimum: 10, description: 'The most it takes' } },
    (world, { node, most }) => {
      for (const each of dbNodes(world, node)) each.mostConnections = Number(most)
    },
  ),
  fault(
    'galera.out_of_files',
    'A database has had no file left for some who wanted to connect: it says so',
    { node: anyNode },
    (world, { node }) => {
      for (const { name } of dbNodes(world, node)) sayNoFiles(machineOf(world, name))
    },
  ),
  fault(
    'galera.files_capped',
    'A database may open only so many files, whatever its unit says: seen with its next start',
    {
      node: anyNode,
      files: { type: 'integer', default: 4_000, minimum: 1_024, description: 'How many the machine allows' },
    },
    (world, { node, files }) => {
      for (const { name } of dbNodes(world, node)) {
        const unit = machineOf(world, name).units.find('mariadb')
        if (unit) unit.filesAllowed = Number(files)
      }
    },
  ),
  fault(
    'galera.state_lost',
    'The saved state of a database node is lost: its next start takes all there is from another node, not only what it missed',
    { node },
    (world, { node }) => {
      dbNode(world, node).stateLost = true
    },
  ),
  fault(
    'galera.falls_with',
    'A database node fails in the moment another one starts again',
    { node, other: { type: 'string', description: 'The node whose start it is' } },
    (world, { node, other }) => {
      dbNode(world, other).takesDown = dbNode(world, node).name
    },
  ),
  fault(
    'galera.no_majority',
    'The databases lose their majority: each runs and says that it is non-Primary, its queries fail (1047), and none can join',
    {
      start_of: {
        type: 'string',
        default: '',
        description: 'The database host whose start is the moment; at once, when it is empty',
      },
    },
    (world, { start_of }) => {
      if (start_of === '') world.estate.galera.noMajority = true
      else dbNode(world, start_of).losesMajority = true
      world.estate.changed()
    },
  ),
  fault(
    'galera.in_container',
    'The databases run in containers, as Kolla makes them: systemd has no unit of them, and their client is inside',
    {
      node: anyNode,
      engine: { type: 'string', enum: ['docker', 'podman'], default: 'docker', description: 'What runs containers' },
    },
    (world, { node, engine }) => {
      for (const { name } of dbNodes(world, node)) putInContainer(machineOf(world, name), String(engine))
    },
  ),
  fault(
    'galera.under_pacemaker',
    'Pacemaker runs the databases as its resource: their unit is there, and does nothing',
    {},
    (world) => {
      const names = [...world.estate.galera.nodes.keys()]
      for (const name of names) putUnderPacemaker(machineOf(world, name), names)
    },
  ),
  fault(
    'galera.comes_back_desynced',
    'A database node that is restarted runs and answers, and does not become Synced',
    { node, starts },
    (world, { node, starts }) => {
      dbNode(world, node).desyncedStarts = Number(starts)
    },
  ),
  fault(
    'galera.state_transfer_hangs',
    'A database node that is restarted waits for its state without end, and so does the one that gives it',
    { node, starts },
    (world, { node, starts }) => {
      dbNode(world, node).stuckStarts = Number(starts)
    },
  ),
]

const holder = (user: string, wants: number, more: Partial<Holder>): Holder => ({
  user,
  from: '10.77.0.31',
  wants,
  command: 'Sleep',
  seconds: 15,
  database: user,
  ...more,
})

const dbNodes = (world: World, name: unknown) =>
  name === '' ? [...world.estate.galera.nodes.values()] : [dbNode(world, name)]

function dbNode(world: World, name: unknown) {
  const found = world.estate.galera.nodes.get(String(name))
  if (found) return found
  throw new Error(
    `no simulated database runs on \`${String(name)}\`; there are ${[...world.estate.galera.nodes.keys()].join(', ')}`,
  )
}
