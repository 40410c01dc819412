import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { does, type Place, plans, settles } from './place.ts'

/** What holds of the actions on every host, a simulated one and a real one. */
export interface Contract {
  readonly name: string
  holds(place: Place): Promise<void>
}

const sha = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const folder = '/var/tmp/contract'
const facts = (path: string) => `stat -c '%a %U %G' ${path}`
const fresh = (place: Place) => place.asRoot(`rm -rf ${folder}; mkdir -p ${folder}`)

async function here<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'contract-'))
  try {
    return await work(path)
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

export const contracts: readonly Contract[] = [
  {
    name: '`ssh.file` writes to the byte, with mode and owner, and says what it did',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/it's "new" $x.cnf`
      const content = 'a=1\n\nb=$HOME `x` \\ "q"\nno end of line: ä'
      const result = await does(place, 'ssh.file', { path, content, mode: '0640', owner: 'ops', group: 'root' })
      expect(result).toEqual({
        host: place.host,
        path,
        changed: true,
        before_digest: null,
        digest: sha(content),
        backup: null,
      })
      const quoted = `"${path.replaceAll(/["$]/g, '\\$&')}"`
      expect(await place.asRoot(`cat ${quoted}; echo '|end'`)).toBe(`${content}|end`)
      expect(await place.asRoot(facts(quoted))).toBe('640 ops root')
      expect(await place.asRoot(`ls -A ${folder}`)).toBe(`it's "new" $x.cnf`)
    },
  },
  {
    name: '`ssh.file` keeps the previous content, owner and mode, and `ssh.file.restore` puts all of it back',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/old.cnf`
      await place.asRoot(`echo before >${path}; chown ops ${path}; chmod 604 ${path}`)
      const result = await does(place, 'ssh.file', { path, content: 'after\n' })
      expect(result).toMatchObject({ changed: true, before_digest: sha('before\n'), digest: sha('after\n') })
      expect(await place.asRoot(`cat ${path}; ${facts(path)}`)).toBe('after\n604 ops root')
      expect(await place.asRoot(`cat '${String(result['backup'])}'`)).toBe('before')
      expect(String(result['backup'])).toMatch(/\/\.old\.cnf\.\w+~$/)

      const { backup = null, before_digest = null } = result
      const undo = { path, backup, before_digest }
      expect((await plans(place, 'ssh.file.restore', undo)).changes).toHaveLength(1)
      expect(await does(place, 'ssh.file.restore', undo)).toMatchObject({ changed: true, digest: sha('before\n') })
      expect(await place.asRoot(`cat ${path}; ${facts(path)}; ls -A ${folder}`)).toBe('before\n604 ops root\nold.cnf')
      expect(await does(place, 'ssh.file.restore', undo)).toMatchObject({ changed: false })
    },
  },
  {
    name: '`ssh.file` leaves alone what is so already, and mends owner and mode without touching the content',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/same`
      await place.asRoot(`printf same >${path}; chmod 644 ${path}`)
      const before = await place.asRoot(`stat -c %Y ${path}`)
      expect(await does(place, 'ssh.file', { path, content: 'same' })).toMatchObject({ changed: false, backup: null })
      expect((await plans(place, 'ssh.file', { path, content: 'same', mode: '0644' })).changes).toEqual([])
      const mended = await plans(place, 'ssh.file', { path, content: 'same', mode: '0600', owner: 'ops' })
      expect(mended.changes).toEqual([
        { path: 'mode', before: '0644', after: '0600' },
        { path: 'owner', before: 'root', after: 'ops' },
      ])
      expect(await does(place, 'ssh.file', { path, content: 'same', mode: '0600', owner: 'ops' })).toMatchObject({
        changed: true,
        backup: null,
      })
      expect(await place.asRoot(`${facts(path)}; stat -c %Y ${path}`)).toBe(`600 ops root\n${before}`)
    },
  },
  {
    name: 'a dry run of `ssh.file` shows the lines that would change, and writes nothing',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/lines`
      await place.asRoot(`printf 'one\\ntwo\\nthree\\nfour\\n' >${path}`)
      const plan = await plans(place, 'ssh.file', { path, content: 'one\n2\nthree\nfour\nfive\n' })
      expect(plan).toEqual({
        summary: `would replace \`${path}\` on ${place.host}`,
        changes: [
          { path: `${path}:2`, before: 'two' },
          { path: `${path}:2`, after: '2' },
          { path: `${path}:5`, after: 'five' },
        ],
      })
      const secret = await plans(place, 'ssh.file', { path, content: 'password', secret_content: true })
      expect(JSON.stringify(secret)).not.toMatch(/password|two/)
      expect(await place.asRoot(`cat ${path}; ls -A ${folder}`)).toBe('one\ntwo\nthree\nfour\nlines')
    },
  },
  {
    name: '`ssh.file` removes a file, keeps it, and gives it back',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/gone`
      await place.asRoot(`echo here >${path}`)
      const result = await does(place, 'ssh.file', { path, state: 'absent' })
      expect(result).toMatchObject({ changed: true, before_digest: sha('here\n'), digest: null })
      expect(await place.asRoot(`ls ${folder}`)).toBe('')
      expect(await does(place, 'ssh.file', { path, state: 'absent' }, { key: 'again' })).toMatchObject({
        changed: false,
      })
      const { backup = null, before_digest = null } = result
      await does(place, 'ssh.file.restore', { path, backup, before_digest })
      expect(await place.asRoot(`cat ${path}`)).toBe('here')
    },
  },
  {
    name: 'a file that was not there is taken away again by `ssh.file.restore`',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/new`
      const { backup = null, before_digest = null } = await does(place, 'ssh.file', { path, content: 'x' })
      expect(await does(place, 'ssh.file.restore', { path, backup, before_digest })).toMatchObject({ changed: true })
      expect(await place.asRoot(`ls -A ${folder}`)).toBe('')
    },
  },
  {
    name: '`ssh.file` refuses a link unless told to follow it, and then writes the file it names',
    async holds(place) {
      await fresh(place)
      await place.asRoot(`echo real >${folder}/real; ln -s ${folder}/real ${folder}/link`)
      const params = { path: `${folder}/link`, content: 'new\n' }
      await expect(does(place, 'ssh.file', params)).rejects.toMatchObject({ code: 'is_link' })
      expect(await place.asRoot(`cat ${folder}/real`)).toBe('real')
      const result = await does(place, 'ssh.file', { ...params, follow: true })
      expect(result).toMatchObject({ path: `${folder}/real`, before_digest: sha('real\n') })
      expect(await place.asRoot(`readlink ${folder}/link; cat ${folder}/real`)).toBe(`${folder}/real\nnew`)
    },
  },
  {
    name: '`ssh.file` refuses a folder, and a folder that is not there',
    async holds(place) {
      await fresh(place)
      await expect(does(place, 'ssh.file', { path: folder, content: 'x' })).rejects.toMatchObject({ code: 'no_file' })
      await expect(does(place, 'ssh.file', { path: `${folder}/no/file`, content: 'x' })).rejects.toMatchObject({
        code: 'no_folder',
      })
    },
  },
  {
    name: 'a second try of a step that was cut off tells what the first has kept',
    async holds(place) {
      await fresh(place)
      const path = `${folder}/twice`
      await place.asRoot(`echo before >${path}`)
      const params = { path, content: 'after\n' }
      expect(await settles(place, 'ssh.file', params, 'cut')).toEqual({ happened: 'no' })
      const first = await does(place, 'ssh.file', params, { key: 'cut' })
      expect(await does(place, 'ssh.file', params, { key: 'cut~2' })).toEqual(first)
      expect(await settles(place, 'ssh.file', params, 'cut')).toEqual({ happened: 'yes', result: first })
      expect(await does(place, 'ssh.file', params, { key: 'other' })).toMatchObject({ changed: false, backup: null })
    },
  },
  {
    name: '`ssh.file.read` gives content and facts, and tells a file that is not there from one it may not see',
    async holds(place) {
      await fresh(place)
      await place.asRoot(`printf 'a\\nb' >${folder}/text; chmod 640 ${folder}/text`)
      expect(await does(place, 'ssh.file.read', { path: `${folder}/text` })).toEqual({
        host: place.host,
        path: `${folder}/text`,
        exists: true,
        content: 'a\nb',
        digest: sha('a\nb'),
        size: 3,
        mode: '0640',
        owner: 'root',
        group: 'root',
      })
      expect(await does(place, 'ssh.file.read', { path: `${folder}/none` })).toMatchObject({
        exists: false,
        content: null,
      })
    },
  },
  {
    name: '`ssh.put` and `ssh.fetch` carry any bytes there and back',
    async holds(place) {
      await fresh(place)
      await here(async (near) => {
        const bytes = Buffer.concat([Buffer.from([0, 255, 10, 13, 0]), randomBytes(300_000)])
        writeFileSync(join(near, 'out'), bytes)
        const path = `${folder}/bytes`
        const put = await does(place, 'ssh.put', { from: join(near, 'out'), path, mode: '0600' })
        expect(put).toMatchObject({ changed: true, digest: sha(bytes) })
        expect(await place.asRoot(`sha256sum ${path} | cut -c1-64; stat -c '%a %s' ${path}`)).toBe(
          `${sha(bytes)}\n600 ${bytes.length}`,
        )
        expect(await does(place, 'ssh.put', { from: join(near, 'out'), path })).toMatchObject({ changed: false })
        const to = join(near, 'in')
        expect(await does(place, 'ssh.fetch', { path, to })).toEqual({
          host: place.host,
          path,
          to,
          digest: sha(bytes),
          size: bytes.length,
          changed: true,
        })
        expect(sha(readFileSync(to))).toBe(sha(bytes))
        expect(await does(place, 'ssh.fetch', { path, to })).toMatchObject({ changed: false })
      })
      await expect(does(place, 'ssh.put', { from: '/nowhere/x', path: `${folder}/y` })).rejects.toMatchObject({
        code: 'no_file',
      })
    },
  },
  {
    name: '`systemd.unit` stops, starts, enables and disables, and leaves alone what is so already',
    async holds(place) {
      const unit = 'cron'
      const state = () => place.asRoot(`systemctl is-active ${unit}; systemctl is-enabled ${unit}; true`)
      expect(await does(place, 'systemd.unit', { unit, state: 'started' })).toEqual({
        host: place.host,
        unit,
        changed: false,
        active_state: 'active',
        sub_state: 'running',
        enabled: true,
      })
      expect((await plans(place, 'systemd.unit', { unit, state: 'stopped', enabled: false })).changes).toEqual([
        { path: 'enabled', before: 'enabled', after: 'disabled' },
        { path: 'state', before: 'active (running)', after: 'inactive' },
      ])
      expect(await does(place, 'systemd.unit', { unit, state: 'stopped', enabled: false })).toMatchObject({
        changed: true,
        active_state: 'inactive',
        enabled: false,
      })
      expect(await state()).toBe('inactive\ndisabled')
      expect(await settles(place, 'systemd.unit', { unit, state: 'started' })).toEqual({ happened: 'no' })
      expect(await does(place, 'systemd.unit', { unit, state: 'started', enabled: true })).toMatchObject({
        changed: true,
        active_state: 'active',
        enabled: true,
      })
      expect(await state()).toBe('active\nenabled')
      expect(await settles(place, 'systemd.unit', { unit, state: 'started' })).toMatchObject({ happened: 'yes' })
    },
  },
  {
    name: '`systemd.unit` has restarted a unit when it runs under another process',
    async holds(place) {
      const pid = () => place.asRoot('systemctl show cron -p MainPID --value')
      const before = await pid()
      expect(await does(place, 'systemd.unit', { unit: 'cron', state: 'restarted' })).toMatchObject({ changed: true })
      expect(await pid()).not.toBe(before)
      expect(await settles(place, 'systemd.unit', { unit: 'cron', state: 'restarted' })).toMatchObject({
        happened: 'unknown',
      })
    },
  },
  {
    name: '`systemd.unit` of a unit that is not there fails',
    async holds(place) {
      const failed = does(place, 'systemd.unit', { unit: 'nosuch', state: 'started' })
      await expect(failed).rejects.toMatchObject({ code: 'unit_unknown' })
    },
  },
  {
    name: '`systemd.daemon_reload` is done',
    async holds(place) {
      expect(await does(place, 'systemd.daemon_reload', {})).toEqual({ host: place.host })
    },
  },
  {
    name: '`ssh.wait` waits for a port on which something listens',
    async holds(place) {
      expect(await does(place, 'ssh.wait', { port: 22 })).toMatchObject({ host: place.host })
      const failed = does(place, 'ssh.wait', { port: 1, within: '1s' })
      await expect(failed).rejects.toMatchObject({ code: 'not_ready', status: 'failed' })
    },
  },
  {
    name: '`ssh.reboot` is done when the host is in another boot, and has booted',
    async holds(place) {
      const bootId = () => place.asRoot('cat /proc/sys/kernel/random/boot_id')
      const before = await bootId()
      const key = 'reboot'
      expect(await settles(place, 'ssh.reboot', {}, key)).toEqual({ happened: 'no' })
      const result = await does(place, 'ssh.reboot', { within: '5m' }, { key })
      expect(result['boot_id_before']).toBe(before)
      expect(result['boot_id']).toBe(await bootId())
      expect(result['boot_id']).not.toBe(before)
      expect(await place.asRoot('ls /var/tmp/runbook-reboot-* 2>/dev/null; true')).toBe('')
    },
  },
  {
    name: '`ssh.reboot` by a command that does nothing fails with `not_rebooted`, and is left in doubt after a crash',
    async holds(place) {
      const key = 'refused'
      const failed = does(place, 'ssh.reboot', { command: ['true'], within: '10s' }, { key })
      await expect(failed).rejects.toMatchObject({ code: 'not_rebooted', status: 'failed' })
      expect(await settles(place, 'ssh.reboot', { within: '10s' }, key)).toMatchObject({ happened: 'unknown' })
      await place.asRoot('rm -f /var/tmp/runbook-reboot-*')
    },
  },
  {
    name: '`ssh.reboot` that was cut off once it was asked for is waited for, and has happened when the host has booted',
    async holds(place) {
      const before = await place.asRoot('cat /proc/sys/kernel/random/boot_id')
      const { now } = place.ctx.clock
      const clock = { now, sleep: () => Promise.reject(new Error('killed')) }
      const killed = does({ ...place, ctx: { ...place.ctx, clock } }, 'ssh.reboot', {}, { key: 'cut' })
      await expect(killed).rejects.toThrow('killed')
      const result = { boot_id_before: before, boot_id: expect.not.stringContaining(before) }
      const step = { ...place.ctx.step, began: now() }
      const later = { ...place, ctx: { ...place.ctx, step } }
      expect(await settles(later, 'ssh.reboot', { within: '5m' }, 'cut')).toMatchObject({ happened: 'yes', result })
    },
  },
]
