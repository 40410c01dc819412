import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = process.env['RUNBOOK_LAB'] ?? '/var/lib/runbook-lab'

/** The files the lab's scripts leave for its users. */
export const lab = {
  /** Clouds `lab-admin` and `lab-demo`. */
  clouds: join(root, 'openstack', 'clouds.yaml'),
  /** Every host by name, with key and known hosts: `ssh -F FILE NAME`. */
  sshConfig: join(root, 'hosts', 'ssh_config'),
  hosts: join(root, 'hosts', 'hosts.tsv'),
  /** The same hosts for `runbook --inventory`. */
  inventory: join(root, 'inventory.yaml'),
} as const

/** Reads a file of the lab; when it is not there, says how to bring the lab up. */
export async function readLab(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Error(`the lab is not up: cannot read \`${path}\`; bring it up with \`npm run lab:up\``, { cause })
  }
}

/** Asks again, once a second or as told, until the answer is there; rejects when the signal is aborted. */
export async function eventually<T>(ask: () => Promise<T | undefined>, signal: AbortSignal, every = 1_000): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(every, undefined, { signal })
  }
}
