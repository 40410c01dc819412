import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { untilGo } from './program.ts'

for (const [how, end] of [
  ['its file', (folder: string) => writeFileSync(join(folder, 'go'), '')],
  ['the end of its folder', (folder: string) => rmSync(folder, { recursive: true })],
] as const) {
  test(`what waits in a folder of a test ends with ${how}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waiting-'))
    const shell = spawn('sh', ['-c', `echo waits; ${untilGo}`], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] })
    onTestFinished(() => {
      shell.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    const ended = once(shell, 'exit')
    await once(shell.stdout, 'data')
    end(folder)
    expect(await ended).toEqual([0, null])
  })
}
