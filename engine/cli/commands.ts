import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { check } from './check.ts'
import type { Io } from './io.ts'
import { failOns } from './verdict.ts'

type Done = (code: number) => void

const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** Every command with its options; what a command does is loaded when it is called. */
export function addCommands(program: Command, io: Io, signal: AbortSignal, done: Done): void {
  const exec = program
    .command('exec <runbook>')
    .description('run a runbook: a name, or the path of a file')
    .option('-i, --input <name=value>', 'an input; may be given several times', many)
    .option('--input-file <name=path>', 'an input that is the content of a file', many)
    .option('--inputs <file>', 'a YAML or JSON file with inputs')
    .option('--inventory <file>', 'the hosts and clouds to work on')
    .option('--limit <pattern>', 'only these hosts of the inventory')
    .option('--dry-run', 'really read, show what would be changed, change nothing')
    .option('--rehearse <scenario>', 'work on the rehearsal cloud instead of a real one')
    .option('--speed <factor>', 'in rehearsal: world seconds per second; without it, waiting takes no time', positive)
    .option('--effects <file>', 'in rehearsal: append every change made to the world to this file')
  addRunOptions(exec)
    .addHelpText(
      'after',
      '\nExamples:\n  runbook exec daily-inspection --rehearse healthy\n  runbook exec ./reboot.yaml --inventory prod.yaml --input host=cmp4 --dry-run',
    )
    .action(async (name, options) => done(await (await import('./exec.ts')).exec(name, options, io, signal)))

  const resume = program
    .command('resume <run>')
    .description('go on with a run where it stopped: its name, the end of its name, or `last`')
    .option('--as-recorded', 'go on with the runbook as it was when the run began')
    .option('--accept-changes', 'go on with the runbook as it is now, if all that was done is still the same in it')
    .option('--cancel', 'only clean up and undo, then end the run')
    .option('-i, --input <name=value>', 'secret inputs again: they are not kept', many)
    .option('--input-file <name=path>', 'a secret input that is the content of a file', many)
  addRunOptions(resume)
    .addHelpText(
      'after',
      '\nExamples:\n  runbook resume last\n  runbook resume 20261121T0805-a1b2c3 --answer drain!doubt=done',
    )
    .action(async (run, options) => done(await (await import('./resume.ts')).resume(run, options, io, signal)))

  program
    .command('check [runbook...]')
    .description('check runbooks without running anything; all that can be found, unless some are named')
    .option('--inventory <file>', 'also check hosts and groups against this inventory')
    .option(
      '--connect',
      'also connect: log in to every host, get a token of each cloud that is used and find its services',
    )
    .addOption(new Option('-o, --output <form>', 'how to tell problems').choices(['text', 'json']).default('text'))
    .option('--strict', 'let warnings fail the check')
    .option('--no-cache', 'find out again what an earlier check found of the same files')
    .action(async (names, options) => done(await check(names, options, io, signal)))

  program
    .command('show <run>')
    .description('show a run, or describe a runbook')
    .addOption(new Option('-f, --format <form>', 'how').choices(['text', 'markdown', 'html', 'json']).default('text'))
    .option('--runs <folder>', 'where runs are kept')
    .addHelpText(
      'after',
      '\nExamples:\n  runbook show last\n  runbook show last --format html > report.html\n  runbook show daily-inspection',
    )
    .action(async (run, options) => done(await (await import('./show.ts')).show(run, options, io)))

  program
    .command('verify <run>')
    .description('prove that a transcript is what was written')
    .option('--runs <folder>', 'where runs are kept')
    .action(async (run, options) => done(await (await import('./verify.ts')).verify(run, options, io)))

  program
    .command('runs')
    .description('list the runs')
    .option('--runs <folder>', 'where runs are kept')
    .option('--open', 'only those that have not ended')
    .addOption(new Option('-o, --output <form>', 'how').choices(['text', 'json']).default('text'))
    .action(async (options) => done(await (await import('./runs.ts')).runs(options, io)))

  program
    .command('list')
    .description('list the runbooks')
    .action(async () => done(await (await import('./list.ts')).list(io)))

  program
    .command('docs [name]')
    .description('print the page of a runbook, Markdown: what it needs, whom it asks, what it changes')
    .action(async (name) => done(await (await import('./docs.ts')).docs(name, io)))

  program
    .command('actions [name]')
    .description('list the actions, or describe one')
    .action(async (name) => done(await (await import('./actions.ts')).actions(name, io)))

  program
    .command('schema [name]')
    .description('print a JSON Schema: runbook, inventory, config, scenario, plan or event')
    .action(async (name) => done(await (await import('./schema.ts')).schema(name, io)))

  program
    .command('explain <code>')
    .description('explain a problem: RB2001')
    .action(async (code) => done(await (await import('./explain.ts')).explain(code, io)))

  program
    .command('hosts [pattern]')
    .description('show the hosts that a pattern names')
    .option('--inventory <file>', 'the inventory')
    .action(async (pattern, options) => done(await (await import('./hosts.ts')).hosts(pattern ?? 'all', options, io)))

  program
    .command('rehearse [scenario]')
    .description('serve a rehearsal cloud until it is stopped; without a scenario, list them')
    .option('--folder <folder>', 'where to write the inventory, clouds.yaml and keys')
    .option('--effects <file>', 'append every change made to the world to this file')
    .option('--speed <factor>', 'world seconds per second', positive)
    .addHelpText(
      'after',
      '\nExample, in two terminals:\n  runbook rehearse compute-down --folder /tmp/world\n  runbook exec daily-inspection --inventory /tmp/world/inventory.yaml',
    )
    .action(async (scenario, options) =>
      done(await (await import('./rehearse.ts')).rehearse(scenario, options, io, signal)),
    )

  program
    .command('init [file]')
    .description('write a runbook to begin with')
    .action(async (file) => done(await (await import('./init.ts')).init(file, io)))

  program
    .command('completion <shell>')
    .description('print a completion script for bash, zsh or fish')
    .action(async (shell) => done(await (await import('./completion.ts')).completion(shell, program, io)))
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('it is a number above 0')
  return value
}

/** The options of what runs: how it asks, how it is shown, where it is kept. */
function addRunOptions(command: Command): Command {
  return command
    .option('--step', 'ask before each step')
    .option('-y, --yes', 'answer yes where a plain yes is asked')
    .option('--answer <step=value>', 'answer a question before it is asked', many)
    .addOption(new Option('-o, --output <form>', 'how to show the run').choices(['live', 'plain', 'json']))
    .addOption(
      new Option('--fail-on <verdict>', 'for inspections: the mildest verdict that makes the exit code 1')
        .choices([...failOns])
        .default('unknown'),
    )
    .option('--runs <folder>', 'where runs are kept')
    .option('--report <file>', 'write a report when the run is over: .md, .html, .json or .txt', many)
    .option('-v, --verbose', 'show remote output and calls line by line')
}
