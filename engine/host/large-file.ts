import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { type Digested, type DigestName, StepFailure } from '../action/contract.ts'

/** A file that is read piece by piece, however large it is. Throws `StepFailure` `no_file`. */
async function opened(path: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const refused = (why: string, cause?: unknown) =>
    new StepFailure('no_file', `cannot read \`${path}\` on this machine: ${why}`, { cause })
  let file: FileHandle
  try {
    file = await open(resolve(path))
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw refused(code === 'ENOENT' ? 'it does not exist' : code === 'EACCES' ? 'permission denied' : message, cause)
  }
  const stats = await file.stat()
  if (stats.isFile()) return { file, size: stats.size }
  await file.close()
  throw refused(stats.isDirectory() ? 'it is a folder' : 'it is no file')
}

/** What `LocalFiles.digest` promises. */
export async function digestOf<A extends DigestName>(
  path: string,
  algorithms: readonly A[],
  signal: AbortSignal,
): Promise<Digested<A>> {
  const { file } = await opened(path)
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const)
  let size = 0
  for await (const chunk of file.createReadStream({ signal })) {
    size += (chunk as Buffer).length
    for (const [, hash] of hashes) hash.update(chunk as Buffer)
  }
  const digests = Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')]))
  return { size, digests: digests as { [algorithm in A]: string } }
}

/** The bytes of a file as the body of a request, which says its length beforehand. */
export async function fileBody({
  path,
  sent,
}: {
  readonly path: string
  sent?(bytes: number): void
}): Promise<{ readonly body: Readable; readonly size: number }> {
  const { file, size } = await opened(path)
  const stream = file.createReadStream()
  async function* counted() {
    let passed = 0
    for await (const chunk of stream) {
      yield chunk as Buffer
      passed += (chunk as Buffer).length
      sent?.(passed)
    }
  }
  const body = Readable.from(counted(), { objectMode: false })
  // also when nobody ever read it; why it broke is told by the exchange
  body.once('close', () => stream.destroy()).on('error', () => {})
  return { body, size }
}
