import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type SshDoor, type SshDoorOptions, sshDoor } from '../../../../engine/host/ssh/door.ts'
import type { HostSettings } from '../../../../engine/host/ssh/settings.ts'
import type { Call } from '../../../../engine/run/event.ts'

export const never = new AbortController().signal

export const realClock = {
  now: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => signal.throwIfAborted()),
}

/** A folder that is gone at the end. */
export function folder(): Disposable & { readonly path: string; write(name: string, text: string): string } {
  const path = mkdtempSync(join(tmpdir(), 'ssh-test-'))
  return {
    path,
    write(name, text) {
      writeFileSync(join(path, name), text, { mode: 0o600 })
      return join(path, name)
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

export interface TestDoor extends SshDoor, AsyncDisposable {
  readonly calls: Call[]
  readonly output: string[]
}

/** A door to hosts, which knows nothing of the machine's own configuration, keys and agent. */
export function doorTo(
  hosts: { readonly [name: string]: HostSettings },
  options: Partial<SshDoorOptions> = {},
): TestDoor {
  const calls: Call[] = []
  const output: string[] = []
  const door = sshDoor({
    hosts: (name) =>
      hosts[name] && { sshConfig: 'none', identitiesOnly: true, identityFiles: [], user: 'ops', ...hosts[name] },
    home: '/nowhere',
    user: 'ops',
    env: {},
    openSsh: false,
    clock: realClock,
    onCall: (call) => calls.push(call),
    onOutput: (host, stream, text) => output.push(`${host} ${stream} ${text}`),
    timing: { connect: 10_000, auth: 10_000, keepalive: 15_000, grace: 2_000 },
    ...options,
  })
  return { ...door, calls, output, [Symbol.asyncDispose]: () => door.close() }
}
