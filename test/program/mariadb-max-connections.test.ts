import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { serveWorld, type WorldEffect, workspace } from './program.ts'

const world = {
  apiVersion: 'runbook/v1',
  name: 'served',
  title: 'A database that turns services away',
  topology: { controllers: 1, computes: 1, ceph: 3, servers: 2 },
  faults: [{ fault: 'galera.too_many_connections' }],
}
const inputs = { target: 8000, backup_hours: 3, observe_seconds: 5, soak_seconds: 5, watch_minutes: 0 }

/** A world that is served by another process, twenty seconds a second, and a run in it. */
async function served(...more: readonly object[]) {
  const space = workspace()
  space.write('inputs.json', JSON.stringify(inputs))
  return {
    ...space,
    done: await serveWorld(space, { ...world, faults: [...world.faults, ...more] }, 20),
    begin: () => [
      ...['exec', resolve('runbooks/mariadb-max-connections.yaml'), '--inventory', 'world/inventory.yaml'],
      ...['--inputs', 'inputs.json', '--output', 'plain'],
      ...['--answer', 'mend/agreed=openstack', '--answer', 'mend/restarts=yes'],
    ],
  }
}

const turns = (effects: readonly WorldEffect[]) =>
  effects.flatMap(({ kind, what, detail }) => {
    const node = /db\d/.exec(what)?.[0]
    if (kind === 'host.haproxy.set_server') return [`${detail?.['state']} ${node}`]
    return /^host\.unit\.(re)?start$|^host\.unit\.stop$/.test(kind) ? [`${kind.slice(10)} ${node}`] : []
  })

test('a roll that is killed as a node leaves, and again as one restarts, goes on: no node is restarted twice, and none while another is not Synced', async () => {
  const space = await served()
  const happened = (what: string) => () => turns(space.done()).includes(what)
  const killedAt = async (args: readonly string[], what: string) => {
    const run = space.start(args)
    await run.until(happened(what))
    run.child.kill('SIGKILL')
    await run.ended
  }
  await killedAt(space.begin(), 'maint db2')
  const resume = ['resume', 'last', '--output', 'plain']
  await killedAt(resume, 'restart db3')
  const before = space.done().length
  const { code, all } = await space.run(resume)
  expect(code, all).toBe(0)
  expect(space.done().length).toBeGreaterThan(before)

  const did = turns(space.done())
  expect(did.filter((turn) => /^(restart|start|stop) /.test(turn))).toEqual([
    'restart db2',
    'restart db3',
    'restart db1',
  ])
  // asking haproxy again does no harm; what counts is that each is out of it before, and in again before the next
  expect(did.filter((turn, index) => turn !== did[index - 1])).toEqual(
    ['db2', 'db3', 'db1'].flatMap((node) => [`maint ${node}`, `restart ${node}`, `ready ${node}`]),
  )
  const synced = space.done().flatMap(({ kind, detail }) => (kind === 'host.unit.restart' ? [detail?.['synced']] : []))
  expect(synced).toEqual([
    ['db1', 'db3'],
    ['db1', 'db2'],
    ['db2', 'db3'],
  ])
  expect((await space.run(['verify', 'last'])).code).toBe(0)
}, 900_000)

test('a cluster that has lost its majority is left alone until a person has mended it: only then files are put back, and nothing is restarted', async () => {
  const space = await served({ fault: 'galera.no_majority', with: { start_of: 'db2' } })
  const parked = await space.run(space.begin())
  expect(parked.code, parked.all).toBe(6)
  expect(turns(space.done())).toEqual(['maint db2', 'restart db2'])

  // by hand, as whoever is called would
  const steps = [
    {
      id: 'primary',
      action: 'ssh.script',
      with: { host: 'db1', script: `mariadb -e "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'"` },
    },
    { id: 'member', action: 'ssh.run', with: { host: 'db2', command: 'systemctl start mariadb' } },
  ]
  space.write('mend.yaml', JSON.stringify({ apiVersion: 'runbook/v1', name: 'mend', title: 'By hand', steps }))
  const mended = await space.run(['exec', './mend.yaml', '--inventory', 'world/inventory.yaml', '--output', 'plain'])
  expect(mended.code, mended.all).toBe(0)
  const before = space.done().length
  const id = /\b\d{8}T\d{6}-\w+\b/.exec(parked.all)?.[0] ?? ''
  const { code, all } = await space.run(['resume', id, '--output', 'plain', '--answer', 'mend/roll[db2]/person=yes'])
  expect(code, all).toBe(1)
  expect(all).toContain('the cluster was not Primary, and a person was called')
  const after = space.done().slice(before)
  expect(turns(after)).toEqual(['ready db2'])
  const file = '/etc/mysql/mariadb.conf.d/zz-openstack-connections.cnf'
  expect(after.flatMap(({ kind, what }) => (kind === 'host.file.remove' ? [what] : []))).toEqual(
    expect.arrayContaining(['db1', 'db2', 'db3'].map((node) => `${node}:${file}`)),
  )
}, 900_000)
