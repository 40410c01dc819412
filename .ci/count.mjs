// count.mjs REPORT: `passed failed skipped` of a vitest JSON report, then a line for each test that failed. A file that
// failed without a failed test in it (it did not load, or a hook threw) counts as one failure; so does a report that is
// not there, or is empty.
import { readFileSync } from 'node:fs'

const [, , path] = process.argv
let report
try {
  report = JSON.parse(readFileSync(path, 'utf8'))
} catch {
  console.log('0 1 0')
  process.exit()
}
const tests = report.testResults.flatMap((file) => file.assertionResults)
const broken = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
)
const count = (status) => tests.filter((test) => test.status === status).length
const failed = count('failed') + broken.length + (tests.length + broken.length === 0 ? 1 : 0)
console.log(count('passed'), failed, tests.length - count('passed') - count('failed'))
for (const test of tests.filter(({ status }) => status === 'failed')) console.log(test.fullName)
for (const file of broken) console.log(file.name, file.message.split('\n')[0])
