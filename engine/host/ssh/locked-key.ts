/**
 * Opening a private key that has a passphrase takes more than half a second of plain work, and is made to: in a thread of
 * its own, so that everything else goes on.
 */
import { sign } from 'node:crypto'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import type ssh2 from 'ssh2'
import type { BaseAgent, ParsedKey } from 'ssh2'

/** A key that was locked: its public part, and who signs with it. */
export interface OpenedKey {
  readonly key: ParsedKey
  readonly agent: BaseAgent
}

interface Answer {
  readonly error?: string
  readonly pem?: string
  readonly public?: string
}

const work = `const { parentPort, workerData } = require('node:worker_threads')
const { text, passphrase, module } = workerData
const found = [require(module).utils.parseKey(text, passphrase)].flat()[0]
if (found instanceof Error) parentPort.postMessage({ error: found.message })
else parentPort.postMessage({
  pem: found.isPrivateKey() ? found.getPrivatePEM() : undefined,
  public: found.type + ' ' + found.getPublicSSH().toString('base64') + ' ' + (found.comment || ''),
})`

/** The key, or why it did not open. */
export async function openLocked(library: typeof ssh2, text: Buffer, passphrase: string): Promise<OpenedKey | Error> {
  const module = createRequire(import.meta.url).resolve('ssh2')
  const answer = await new Promise<Answer>((resolve, reject) => {
    const worker = new Worker(work, { eval: true, workerData: { text: text.toString('latin1'), passphrase, module } })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the thread that opens the key ended')))
  })
  const key = answer.public === undefined ? undefined : library.utils.parseKey(answer.public)
  if (answer.pem === undefined || key === undefined) return new Error(answer.error ?? 'it holds no private key')
  return key instanceof Error ? key : { key, agent: signerWith(library, key, answer.pem) }
}

const usualHash: { readonly [type: string]: string } = {
  'ssh-rsa': 'sha1',
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
}

function signerWith({ BaseAgent }: typeof ssh2, key: ParsedKey, pem: string): BaseAgent {
  class Signer extends BaseAgent {
    override getIdentities(done: Parameters<BaseAgent['getIdentities']>[0]): void {
      done(undefined, [key])
    }

    override sign(_key: unknown, data: Buffer, ...more: unknown[]): void {
      // the options between data and callback may be left out
      const done = more.at(-1) as (error: Error | undefined, signature?: Buffer) => void
      const hash = more.length > 1 ? (more[0] as { hash?: string } | undefined)?.hash : undefined
      try {
        done(undefined, sign(key.type === 'ssh-ed25519' ? null : (hash ?? usualHash[key.type] ?? null), data, pem))
      } catch (error) {
        done(error as Error)
      }
    }
  }
  return new Signer()
}
