/** A real OpenSSH server of our own, on a loopback port, from a folder of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { type KeyPair, newKey } from './ssh-server.ts'

const program = '/usr/sbin/sshd'

/** Why there is none here, or nothing. */
export const sshdMissing: string | undefined = existsSync(program) ? undefined : `${program} is not installed`

export interface Sshd extends AsyncDisposable {
  readonly port: number
  readonly user: string
  readonly hostKey: KeyPair
  /** What it has logged. */
  log(): string
}

/** Starts sshd with a client's public key; `write` puts a file into its folder and returns the path. */
export async function startSshd(
  clientKey: KeyPair,
  write: (name: string, text: string) => string,
  more: readonly string[] = [],
): Promise<Sshd> {
  const hostKey = newKey()
  const port = await freePort()
  const config = write(
    'sshd_config',
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${write('host_key', hostKey.private)}`,
      `AuthorizedKeysFile ${write('authorized_keys', `${clientKey.public}\n`)}`,
      'StrictModes no',
      'PidFile none',
      'UsePAM no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'MaxStartups 100',
      ...more,
      // bash reads `~/.bashrc` below sshd, whatever its owner put there, unless another shell has started it; the first line counts
      'SetEnv SHLVL=1',
      '',
    ].join('\n'),
  )
  // sshd wants its empty folder, which a start script would make
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const child = spawn(program, ['-D', '-e', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit')
  while (!log.includes('Server listening')) {
    const what = await Promise.race([once(child.stderr, 'data'), exited.then(() => 'exit' as const)])
    if (what === 'exit') throw new Error(`sshd did not start: ${log}`)
  }
  return {
    port,
    user: userInfo().username,
    hostKey,
    log: () => log,
    async [Symbol.asyncDispose]() {
      child.kill()
      await exited
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
