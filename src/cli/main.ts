#!/usr/bin/env node
/** bpf-jitd: serve, compile, check, targets, keys. */
import { VERSION } from '../service/version.js';
import { checkCommand } from './check-command.js';
import { compileCommand } from './compile-command.js';
import { keysCommand } from './keys-command.js';
import { targetsCommand } from './targets-command.js';
import { UsageError } from './usage.js';

const USAGE = `bpf-jitd: what a Linux kernel makes of BPF programs

  bpf-jitd serve [--role ROLE]        HTTP and gRPC; settings from BPF_JITD_… variables; ROLE is all, api or worker
  bpf-jitd compile OBJECT [options]   OBJECT is an ELF file, or - for standard input
      --program NAME      one of its programs; may be repeated; all where absent
      --kernel NAME       the kernel (bpf-jitd targets)
      --format FORMAT     text (default), json, or elf: a relocatable object
      --output FILE       instead of standard output
      --log-level N       the kernel's log level: 1, 2, 4 or their sum (1)
      --module FILE       a kernel module that is loaded, or its BTF; may be repeated
      --attach-program NAME   the BPF program that freplace, fentry … programs are attached to
      --attach-object FILE    where it is, if not in OBJECT
      --attach-function NAME  its function, in place of the one that sections name
      --legacy-maps       take the maps section that libbpf 1.x refuses
      --capabilities LIST what the loading process may do: CAP_BPF,CAP_NET_ADMIN …, or none
      --cpu LIST          features of the CPU in place of the kernel's own: arm64.lse=false, x86_64.bmi2=false …
      --server URL        ask a running service instead of compiling here
  bpf-jitd check OBJECT... [options]  fails on rejections, and on growth beyond a budget
      --budget FILE       the budget (bpf-budget.json, where there is one)
      --update            write what is found into the budget
      --kernel NAME       the kernel; may be repeated: each object is tried on each
      --tolerance PERCENT of growth that passes (the budget's own, or 0)
      --markdown FILE     the table, which also goes to standard output and $GITHUB_STEP_SUMMARY
      --sarif FILE        SARIF 2.1.0, for code hosts that show findings at their lines
      --source-root DIR   where the sources' own paths begin (the working folder)
      --json FILE         everything that is known
      --legacy-maps, --capabilities LIST, --server URL   as for compile
  bpf-jitd targets [--server URL]     the kernels that can be compiled for
  bpf-jitd keys create [options]      a new API key, shown once; a running service knows it within a second
      --file FILE         the keys file (BPF_JITD_KEYS_FILE)
      --name NAME         for people
      --tenant NAME       whose it is; keys of one tenant share a cache (the key's id)
      --scope SCOPE       compile, jobs, read, btf:write or metrics; may be repeated (all but metrics)
      --rate N            requests a second
      --burst N           requests at once after a pause (a second's worth)
      --concurrency N     requests in flight
      --expires WHEN      90d, 12h, or a time in ISO 8601
  bpf-jitd keys list [--file FILE]
  bpf-jitd keys revoke ID [--file FILE]
  bpf-jitd --version, --help

With --server the API key is taken from BPF_JITD_API_KEY.

Exit status: 0 accepted (check: and within budget), 1 rejected or over budget, 2 could not be tried.
`;

async function main(argv: readonly string[]): Promise<number> {
  const [command, ...rest] = argv;
  if (rest.includes('--help')) return main(['help']);
  switch (command) {
    case 'serve': {
      const { serve } = await import('../main.js');
      await serve(rest);
      return Number(process.exitCode ?? 0);
    }
    case 'compile':
      return compileCommand(rest);
    case 'check':
      return checkCommand(rest);
    case 'targets':
      return targetsCommand(rest);
    case 'keys':
      return keysCommand(rest);
    case '--version':
    case '-V':
      process.stdout.write(`${VERSION}\n`);
      return 0;
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE);
      return 0;
    default:
      throw new UsageError(command === undefined ? 'a command is needed' : `there is no command ${command}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError;
  process.stderr.write(`bpf-jitd: ${error instanceof Error ? error.message : String(error)}\n`);
  if (usage) process.stderr.write('bpf-jitd --help tells commands and options\n');
  process.exitCode = 2;
}
