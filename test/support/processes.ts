import { execFileSync } from 'node:child_process'

/** The command lines on this machine that hold a text; what has ended and only waits to be looked at is not one. */
export const commandLines = (text: string): readonly string[] =>
  execFileSync('ps', ['-eo', 'stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => /^(?!Z)\S+\s+(.*)/.exec(line)?.[1] ?? [])
    .filter((line) => line.includes(text))

export const running = (text: string): number => commandLines(text).length
