import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { workspace } from '../program/program.ts'
import { ceph, rack } from './ceph/rack.ts'
import { onHost } from './support/hosts.ts'
import { eventually } from './support/lab.ts'
import { openCloud } from './support/openstack.ts'

const soon = () => AbortSignal.timeout(400_000)
const [, commands] = /^```sh lab\n(.*?)^```$/ms.exec(readFileSync('README.md', 'utf8')) ?? []
const whole = async () => {
  const { health } = await ceph('status', soon())
  return health.status === 'HEALTH_OK' || undefined
}

afterAll(async () => {
  await rack('clear', soon())
  await eventually(whole, soon())
})

/** What a run would change: the host and its place in Nova, the databases, the OSD. */
async function world() {
  const cloud = await openCloud('lab-admin', soon())
  const on = async (host: string, command: string) => (await onHost(host, command, soon())).stdout
  const { services } = (await cloud.ask('compute', 'GET', '/os-services?host=cmp1', soon())).body as {
    services: { status: string }[]
  }
  const database = `mariadb -N -e 'SELECT @@GLOBAL.max_connections'; systemctl show mariadb -p MainPID; ls /etc/mysql/mariadb.conf.d`
  return {
    service: services.map(({ status }) => status),
    boot: await on('cmp1', 'cat /proc/sys/kernel/random/boot_id; systemctl show nova-compute -p MainPID'),
    databases: await Promise.all(['db1', 'db2', 'db3'].map((host) => on(host, database))),
  }
}

test('the commands of the README show on the lab what would be done, and do nothing', async () => {
  const before = await world()
  const here = workspace()
  const script = commands?.replaceAll('npx runbook', 'runbook')
  const { code, stdout, all } = await here.shell(`set -e; cd ${resolve('.')}; ${script}`).ended
  expect(code, all).toBe(0)
  expect(stdout).toMatch(/daily-inspection finished, worst verdict (PASS|WARN|UNKNOWN)/)
  for (const [runbook, change] of [
    ['compute-reboot', 'forward/order'],
    ['mariadb-max-connections', 'mend/set[db1]'],
    ['osd-replacement', 'leave/destroy'],
  ] as const) {
    expect(stdout).toContain(`dry run of ${runbook} succeeded`)
    expect(stdout).toMatch(new RegExp(`would do +${change.replace(/[[\]]/g, String.raw`\$&`)} `))
  }
  expect(stdout.match(/nothing was changed: \d+ steps would act/g)).toHaveLength(3)
  expect(await world()).toEqual(before)
  const { nodes } = await ceph('osd tree', soon())
  expect(nodes.find(({ id }: { id: number }) => id === 3)).toMatchObject({ status: 'up', reweight: 1 })
}, 800_000)
