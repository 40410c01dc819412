import { resolve } from 'node:path'

/** The program that was built for this test run. */
export const program = process.env['RUNBOOK_PROGRAM'] ?? resolve('dist/cli.js')
