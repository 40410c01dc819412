import { expect } from 'vitest'

export interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Runs one command line on a host, as root, by whatever means. */
export type Run = (host: string, command: string) => Promise<Said>

/** What a command's output must look like, on a simulated host and on a real one. */
export interface Contract {
  readonly name: string
  /** Which hosts it is about. */
  readonly on: 'any' | 'ceph' | 'database' | 'balancer' | 'controller'
  holds(run: Run, host: string): Promise<void>
}

/** Standard output as JSON, of a command that must succeed. */
export const json = async (run: Run, host: string, command: string) => {
  const { stdout, code } = await run(host, command)
  expect(code).toBe(0)
  return JSON.parse(stdout)
}
export const text = async (run: Run, host: string, command: string) => (await run(host, command)).stdout
export const keys = (value: object) => Object.keys(value)
