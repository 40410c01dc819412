import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { onHost } from '../support/hosts.ts'

const host = 'ceph1'

/** What a technician does at the rack of the lab: `furnish`, `plug SERIAL`, `unplug SERIAL`, `die SERIAL`, `shift SERIAL OTHER`, `clear`. */
export async function rack(verb: string, signal: AbortSignal, ...more: string[]): Promise<void> {
  await promisify(execFile)('bash', [resolve(import.meta.dirname, 'rack.sh'), verb, ...more], { signal })
}

/** A shell script on the host, as root; what it wrote. Throws when it fails. */
export async function there(script: string, signal: AbortSignal): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, script, signal)
  if (code !== 0) throw new Error(`\`${script}\` on ${host} ended with ${code}: ${stderr || stdout}`)
  return stdout
}

export const ceph = async (words: string, signal: AbortSignal) =>
  JSON.parse(await there(`ceph --connect-timeout 20 ${words} --format json`, signal))
