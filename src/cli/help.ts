/** What `--help` says: of everything, or of one command. */

const INTRODUCTION = `bpf-jitd: what Linux kernels make of BPF programs

`;

const COMMANDS: Readonly<Record<string, string>> = {
  serve: `  bpf-jitd serve [--role ROLE]        HTTP and gRPC; settings from BPF_JITD_… variables; ROLE is all, api or worker
`,
  compile: `  bpf-jitd compile OBJECT [options]   OBJECT is an ELF file, or - for standard input
      --program NAME      one of its programs; may be repeated; all where absent
      --kernel NAME       the kernel (bpf-jitd targets)
      --format FORMAT     text (default), json, or elf: a relocatable object of the kernel's machine
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
`,
  check: `  bpf-jitd check OBJECT... [options]  fails on rejections, and on growth beyond a budget; objects, folders, globs
      --kernel NAME       the kernel; may be repeated: each object is tried on each; all: every one there is
      --budget FILE       the budget (bpf-budget.json, where there is one)
      --update            write what is found into the budget
      --tolerance PERCENT of growth that passes (the budget's own, or 0)
      --format, -o FORM   on standard output: text (default), csv, json, markdown, html, junit or sarif
      --csv, --json, --markdown, --html, --junit, --sarif FILE   the same into files, as many as you like
      --filter, -f EXPR   FILE/PROG with wildcards, or a figure: insns>1000; ! takes out; @FILE; may be repeated
      --sort, -s COLUMNS  insns,file^ …: ^ the least first, v the most
      --columns, -e LIST  columns, or default, veristat, veristat-csv, size, why
      --top-n, -n N       at most so many rows
      --compare, -C CSV   beside the results of an earlier --csv, or of veristat
      --fail-on EXPR      fail where this holds: insns_pct>5, verdict_diff=mismatch; may be repeated
      --source-root DIR   where the sources' own paths begin (the working folder)
      --jobs, -j N        how many at a time (one for each core; with --server, 8)
      --timeout SECONDS   for one object on one kernel (60)
      --legacy-maps, --capabilities LIST, --server URL   as for compile
`,
  targets: `  bpf-jitd targets [--server URL]     the kernels that can be compiled for
`,
  keys: `  bpf-jitd keys create [options]      a new API key, shown once; a running service knows it within a second
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
`,
};

const END = `
With --server the API key is taken from BPF_JITD_API_KEY.

Exit status: 0 accepted (check: and within budget), 1 rejected or over budget, 2 could not be tried.
`;

/** Of one command where it is known, else of all. */
export function helpText(command = ''): string {
  const one = Object.hasOwn(COMMANDS, command) ? COMMANDS[command]! : null;
  if (one !== null) return one + END;
  return `${INTRODUCTION}${Object.values(COMMANDS).join('')}  bpf-jitd --version, --help           COMMAND --help: of one command\n${END}`;
}
