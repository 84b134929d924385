/** Generated from proto/ by `npm run generate`. */

/** Codes of refusals, stable. */
export type ErrorCode =
  | 'MALFORMED_BODY'
  | 'MALFORMED_REQUEST'
  | 'INVALID_FIELD'
  | 'INVALID_DIGEST'
  | 'DIGEST_MISMATCH'
  | 'UNKNOWN_TARGET'
  | 'UNKNOWN_BTF'
  | 'INVALID_BTF'
  | 'INVALID_OBJECT'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'NOT_ACCEPTABLE'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'BODY_TOO_LARGE'
  | 'RATE_LIMITED'
  | 'CONCURRENCY_LIMITED'
  | 'QUEUE_FULL'
  | 'QUEUE_UNAVAILABLE'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'OVERLOADED'
  | 'STORE_FULL'
  | 'SHUTTING_DOWN'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'OUT_OF_MEMORY'
  | 'WORKER_LOST'
  | 'INTERNAL';

/** enum bpf_prog_type. */
export type ProgramType =
  | 'BPF_PROG_TYPE_UNSPEC'
  | 'BPF_PROG_TYPE_SOCKET_FILTER'
  | 'BPF_PROG_TYPE_KPROBE'
  | 'BPF_PROG_TYPE_SCHED_CLS'
  | 'BPF_PROG_TYPE_SCHED_ACT'
  | 'BPF_PROG_TYPE_TRACEPOINT'
  | 'BPF_PROG_TYPE_XDP'
  | 'BPF_PROG_TYPE_PERF_EVENT'
  | 'BPF_PROG_TYPE_CGROUP_SKB'
  | 'BPF_PROG_TYPE_CGROUP_SOCK'
  | 'BPF_PROG_TYPE_LWT_IN'
  | 'BPF_PROG_TYPE_LWT_OUT'
  | 'BPF_PROG_TYPE_LWT_XMIT'
  | 'BPF_PROG_TYPE_SOCK_OPS'
  | 'BPF_PROG_TYPE_SK_SKB'
  | 'BPF_PROG_TYPE_CGROUP_DEVICE'
  | 'BPF_PROG_TYPE_SK_MSG'
  | 'BPF_PROG_TYPE_RAW_TRACEPOINT'
  | 'BPF_PROG_TYPE_CGROUP_SOCK_ADDR'
  | 'BPF_PROG_TYPE_LWT_SEG6LOCAL'
  | 'BPF_PROG_TYPE_LIRC_MODE2'
  | 'BPF_PROG_TYPE_SK_REUSEPORT'
  | 'BPF_PROG_TYPE_FLOW_DISSECTOR'
  | 'BPF_PROG_TYPE_CGROUP_SYSCTL'
  | 'BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE'
  | 'BPF_PROG_TYPE_CGROUP_SOCKOPT'
  | 'BPF_PROG_TYPE_TRACING'
  | 'BPF_PROG_TYPE_STRUCT_OPS'
  | 'BPF_PROG_TYPE_EXT'
  | 'BPF_PROG_TYPE_LSM'
  | 'BPF_PROG_TYPE_SK_LOOKUP'
  | 'BPF_PROG_TYPE_SYSCALL'
  | 'BPF_PROG_TYPE_NETFILTER';

/** enum bpf_attach_type. */
export type AttachType =
  | 'BPF_CGROUP_INET_INGRESS'
  | 'BPF_CGROUP_INET_EGRESS'
  | 'BPF_CGROUP_INET_SOCK_CREATE'
  | 'BPF_CGROUP_SOCK_OPS'
  | 'BPF_SK_SKB_STREAM_PARSER'
  | 'BPF_SK_SKB_STREAM_VERDICT'
  | 'BPF_CGROUP_DEVICE'
  | 'BPF_SK_MSG_VERDICT'
  | 'BPF_CGROUP_INET4_BIND'
  | 'BPF_CGROUP_INET6_BIND'
  | 'BPF_CGROUP_INET4_CONNECT'
  | 'BPF_CGROUP_INET6_CONNECT'
  | 'BPF_CGROUP_INET4_POST_BIND'
  | 'BPF_CGROUP_INET6_POST_BIND'
  | 'BPF_CGROUP_UDP4_SENDMSG'
  | 'BPF_CGROUP_UDP6_SENDMSG'
  | 'BPF_LIRC_MODE2'
  | 'BPF_FLOW_DISSECTOR'
  | 'BPF_CGROUP_SYSCTL'
  | 'BPF_CGROUP_UDP4_RECVMSG'
  | 'BPF_CGROUP_UDP6_RECVMSG'
  | 'BPF_CGROUP_GETSOCKOPT'
  | 'BPF_CGROUP_SETSOCKOPT'
  | 'BPF_TRACE_RAW_TP'
  | 'BPF_TRACE_FENTRY'
  | 'BPF_TRACE_FEXIT'
  | 'BPF_MODIFY_RETURN'
  | 'BPF_LSM_MAC'
  | 'BPF_TRACE_ITER'
  | 'BPF_CGROUP_INET4_GETPEERNAME'
  | 'BPF_CGROUP_INET6_GETPEERNAME'
  | 'BPF_CGROUP_INET4_GETSOCKNAME'
  | 'BPF_CGROUP_INET6_GETSOCKNAME'
  | 'BPF_XDP_DEVMAP'
  | 'BPF_CGROUP_INET_SOCK_RELEASE'
  | 'BPF_XDP_CPUMAP'
  | 'BPF_SK_LOOKUP'
  | 'BPF_XDP'
  | 'BPF_SK_SKB_VERDICT'
  | 'BPF_SK_REUSEPORT_SELECT'
  | 'BPF_SK_REUSEPORT_SELECT_OR_MIGRATE'
  | 'BPF_PERF_EVENT'
  | 'BPF_TRACE_KPROBE_MULTI'
  | 'BPF_LSM_CGROUP'
  | 'BPF_STRUCT_OPS'
  | 'BPF_NETFILTER'
  | 'BPF_TCX_INGRESS'
  | 'BPF_TCX_EGRESS'
  | 'BPF_TRACE_UPROBE_MULTI'
  | 'BPF_CGROUP_UNIX_CONNECT'
  | 'BPF_CGROUP_UNIX_SENDMSG'
  | 'BPF_CGROUP_UNIX_RECVMSG'
  | 'BPF_CGROUP_UNIX_GETPEERNAME'
  | 'BPF_CGROUP_UNIX_GETSOCKNAME'
  | 'BPF_NETKIT_PRIMARY'
  | 'BPF_NETKIT_PEER'
  | 'BPF_TRACE_KPROBE_SESSION';

/** enum bpf_map_type. */
export type MapType =
  | 'BPF_MAP_TYPE_UNSPEC'
  | 'BPF_MAP_TYPE_HASH'
  | 'BPF_MAP_TYPE_ARRAY'
  | 'BPF_MAP_TYPE_PROG_ARRAY'
  | 'BPF_MAP_TYPE_PERF_EVENT_ARRAY'
  | 'BPF_MAP_TYPE_PERCPU_HASH'
  | 'BPF_MAP_TYPE_PERCPU_ARRAY'
  | 'BPF_MAP_TYPE_STACK_TRACE'
  | 'BPF_MAP_TYPE_CGROUP_ARRAY'
  | 'BPF_MAP_TYPE_LRU_HASH'
  | 'BPF_MAP_TYPE_LRU_PERCPU_HASH'
  | 'BPF_MAP_TYPE_LPM_TRIE'
  | 'BPF_MAP_TYPE_ARRAY_OF_MAPS'
  | 'BPF_MAP_TYPE_HASH_OF_MAPS'
  | 'BPF_MAP_TYPE_DEVMAP'
  | 'BPF_MAP_TYPE_SOCKMAP'
  | 'BPF_MAP_TYPE_CPUMAP'
  | 'BPF_MAP_TYPE_XSKMAP'
  | 'BPF_MAP_TYPE_SOCKHASH'
  | 'BPF_MAP_TYPE_CGROUP_STORAGE'
  | 'BPF_MAP_TYPE_REUSEPORT_SOCKARRAY'
  | 'BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE'
  | 'BPF_MAP_TYPE_QUEUE'
  | 'BPF_MAP_TYPE_STACK'
  | 'BPF_MAP_TYPE_SK_STORAGE'
  | 'BPF_MAP_TYPE_DEVMAP_HASH'
  | 'BPF_MAP_TYPE_STRUCT_OPS'
  | 'BPF_MAP_TYPE_RINGBUF'
  | 'BPF_MAP_TYPE_INODE_STORAGE'
  | 'BPF_MAP_TYPE_TASK_STORAGE'
  | 'BPF_MAP_TYPE_BLOOM_FILTER'
  | 'BPF_MAP_TYPE_USER_RINGBUF'
  | 'BPF_MAP_TYPE_CGRP_STORAGE'
  | 'BPF_MAP_TYPE_ARENA';

export type Format =
  | 'CODE'
  | 'ELF'
  | 'LISTING';

/** The share of turns that a job's requests get. Clients take turns, and nobody's work is held up for ever. */
export type Priority =
  | 'NORMAL'
  | 'HIGH'
  | 'LOW';

export type Stage =
  | 'STAGE_UNSPECIFIED'
  | 'LOAD'
  | 'VERIFY'
  | 'JIT'
  | 'LINK';

export type RelocationKind =
  | 'KIND_UNSPECIFIED'
  | 'FUNCTION'
  | 'KERNEL'
  | 'MAP'
  | 'MAP_VALUE'
  | 'PROGRAM_AUX'
  | 'STRUCT_META'
  | 'ARENA';

export type JobState =
  | 'JOB_STATE_UNSPECIFIED'
  | 'QUEUED'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED';

/** What to load, for which kernel, and how. Exactly one of `object` and `program` is given. */
export interface CompileRequestInit {
  /** An ELF object as clang -target bpf writes it. */
  readonly object?: Uint8Array;
  /** Which of the object's programs, by function name; all that are loaded by default where empty. */
  readonly programs?: readonly string[];
  /** One program as bpf(2) takes it. */
  readonly program?: RawProgramInit;
  /** The kernel whose answer is wanted; the default profile where absent. */
  readonly target?: TargetInit;
  readonly options?: OptionsInit;
  /** Addresses to link to; absent: position-independent code with relocations. */
  readonly link?: LinkInit;
  /** The BPF program that extensions (freplace) and programs on functions (fentry, fexit, fmod_ret) are attached to instead
   * of the kernel. */
  readonly attachProgram?: AttachProgramInit;
  /** Several kernels, in place of `target`: the response has an answer for each, in this order, and says what they say alike. A
   * `link` holds for all of them. */
  readonly targets?: readonly TargetInit[];
}

/** One program as BPF_PROG_LOAD takes it: instructions, BTF and records in the byte order of the target. */
export interface RawProgramInit {
  readonly name?: string;
  readonly type?: ProgramType | number;
  readonly expectedAttachType?: AttachType | number;
  /** 8 bytes each. LD_IMM64 with src 1 or 2 carries an index into `maps`. */
  readonly instructions?: Uint8Array;
  readonly maps?: readonly MapInit[];
  /** The program's own BTF, and bpf_func_info and bpf_line_info records that refer to it. */
  readonly btf?: Uint8Array;
  readonly funcInfo?: Uint8Array;
  readonly lineInfo?: Uint8Array;
  readonly license?: string;
  /** BPF_F_SLEEPABLE and the like. */
  readonly flags?: number;
  /** The kernel function, type or hook it is attached to, by name; a function of the request's attach_program, where there
   * is one. */
  readonly attachTo?: string;
  /** The same by id in the kernel's BTF, or in that of attach_program. */
  readonly attachBtfId?: number;
}

/** A map as BPF_MAP_CREATE takes it; in answers also what an object says of it. */
export interface MapInit {
  /** At most 15 characters are kept by the kernel. */
  readonly name?: string;
  readonly type?: MapType | number;
  readonly keySize?: number;
  readonly valueSize?: number;
  readonly maxEntries?: number;
  readonly flags?: number;
  readonly mapExtra?: string | number | bigint;
  /** Types of key and value in the program's BTF. */
  readonly btfKeyTypeId?: number;
  readonly btfValueTypeId?: number;
  /** The template of a map-in-map's inner maps. */
  readonly innerMap?: MapInit;
  /** Answers only: the section the map was defined in, what it is filled with, and how it is pinned. */
  readonly section?: string;
  readonly contents?: Uint8Array;
  readonly frozen?: boolean;
  readonly pinning?: number;
  readonly numaNode?: number;
}

/** A kernel and a CPU. */
export interface TargetInit {
  /** A built-in profile, the first that ListTargets names by default. */
  readonly kernel?: string;
  /** Replaces the profile's vmlinux BTF: raw, or wrapped in ELF, gzip, xz or zstd … */
  readonly btf?: Uint8Array;
  /** … or the SHA-256 (hexadecimal) of one uploaded before. */
  readonly btfDigest?: string;
  readonly cpu?: CpuInit;
  /** The kernel modules that are loaded, in their order. */
  readonly modules?: readonly ModuleInit[];
}

/** CPU features and mitigations that change code; each as the profile's kernel has it where absent. Those of another
 * architecture than the kernel's are refused. */
export interface CpuInit {
  /** As arm64.lse, arm64.bti and arm64.pac, which came later and are the same. */
  readonly lse?: boolean;
  readonly bti?: boolean;
  readonly pac?: boolean;
  readonly arm64?: Arm64CpuInit;
  readonly x86_64?: X8664CpuInit;
  readonly s390x?: S390xCpuInit;
}

export interface Arm64CpuInit {
  /** Large System Extensions: atomics in one instruction. */
  readonly lse?: boolean;
  /** Branch target identification. */
  readonly bti?: boolean;
  /** Pointer authentication. */
  readonly pac?: boolean;
}

/** docs/targets.md tells how the kernel chooses these by its machine. */
export interface X8664CpuInit {
  /** Shifts by any register, in one instruction. */
  readonly bmi2?: boolean;
  /** Five-level page tables: loads through kernel pointers are held against a user's addresses of 56 bits. */
  readonly la57?: boolean;
  /** Indirect jumps go through retpolines (X86_FEATURE_RETPOLINE) … */
  readonly retpoline?: boolean;
  /** … or stand behind an LFENCE (X86_FEATURE_RETPOLINE_LFENCE), which goes before retpolines … */
  readonly lfence?: boolean;
  /** … or go through thunks against indirect target selection (X86_FEATURE_INDIRECT_THUNK_ITS), which go before both. */
  readonly its?: boolean;
  /** Calls are counted, to fill the return stack buffer before it runs out (X86_FEATURE_CALL_DEPTH, retbleed=stuff). */
  readonly stuffing?: boolean;
  /** The kernel function that returns jump to, such as srso_alias_return_thunk (X86_FEATURE_RETHUNK); a plain RET where empty. */
  readonly rethunk?: string;
}

export interface S390xCpuInit {
  /** Indirect branches go through expolines (CONFIG_EXPOLINE, spectre_v2=). */
  readonly expolines?: boolean;
}

/** A kernel module. Its file (.ko) tells its types and the kernel functions that it registers; its BTF alone tells the types. */
export interface ModuleInit {
  /** As lsmod shows it: nf_conntrack. */
  readonly name?: string;
  /** The module's ELF file or its split BTF, wrapped in gzip, xz or zstd or not … */
  readonly btf?: Uint8Array;
  /** … or the SHA-256 (hexadecimal) of one uploaded before. */
  readonly btfDigest?: string;
}

export interface OptionsInit {
  /** bpf(2)'s log_level bits: 1, 2 and 4; no log where 0. */
  readonly logLevel?: number;
  /** Take the legacy `maps` section, which libbpf 1.x refuses. */
  readonly legacyMaps?: boolean;
  /** What the answer holds beside the functions. */
  readonly format?: Format | number;
  /** What the process may do that loads the program and makes its maps; everything, as root, where absent. */
  readonly capabilities?: CapabilitiesInit;
}

/** Capabilities of a process, in the initial user namespace. None of them: an unprivileged process, on a kernel that takes
 * programs from such (kernel.unprivileged_bpf_disabled=0) and mitigates speculation (no mitigations=off). */
export interface CapabilitiesInit {
  /** CAP_BPF */
  readonly bpf?: boolean;
  /** CAP_PERFMON */
  readonly perfmon?: boolean;
  /** CAP_NET_ADMIN */
  readonly netAdmin?: boolean;
  /** CAP_SYS_ADMIN, which stands for the three above, too. */
  readonly sysAdmin?: boolean;
  /** CAP_SYS_BOOT, which destructive kernel functions take. */
  readonly sysBoot?: boolean;
}

/** Where things lie in the kernel. All addresses are hexadecimal text, "0xffff800081234567". */
export interface LinkInit {
  /** Where each function's image lies, main program first. */
  readonly functions?: readonly string[];
  /** By map name. */
  readonly maps?: Readonly<Record<string, MapAddressInit>>;
  /** Over the profile's own. */
  readonly symbols?: Readonly<Record<string, string>>;
  /** The kernel's struct bpf_prog_aux of the program, which some calls are handed. */
  readonly programAux?: string;
}

export interface MapAddressInit {
  /** struct bpf_map. */
  readonly address?: string;
  /** The value area (array maps), or the user address of an arena. */
  readonly valueAddress?: string;
  /** An arena's, in the kernel. */
  readonly kernelAddress?: string;
}

/** A BPF program that others are attached to. It is loaded and verified first, and must be accepted. */
export interface AttachProgramInit {
  /** One program as bpf(2) takes it, or … */
  readonly program?: RawProgramInit;
  /** … a program of an object, by its name; of the request's own object where none is given. */
  readonly object?: Uint8Array;
  readonly name?: string;
  /** The function of it that an object's programs are attached to; what their sections name where empty. Raw programs name
   * theirs in attach_to or attach_btf_id. */
  readonly function?: string;
  /** What it is attached to itself. */
  readonly attachProgram?: AttachProgramInit;
}

export interface SubmitJobRequestInit {
  /** Each is answered as by Compile. */
  readonly requests?: readonly CompileRequestInit[];
  readonly priority?: Priority | number;
  /** Told by a signed POST when the job is finished; its host must be one that the service allows. */
  readonly callbackUrl?: string;
  /** The same key with the same requests leads to the same job. Over HTTP: the header Idempotency-Key. */
  readonly idempotencyKey?: string;
}

/** The kernel's answer, the same for the same request always. */
export interface CompileResponse {
  /** SHA-256 over all that decides the answer: GET /compilations/{digest}. */
  readonly digest: string;
  readonly programs: readonly ProgramResult[];
  /** The object's maps. */
  readonly maps: readonly Map[];
  /** The profile that was used. */
  readonly target?: TargetInfo;
  /** Why the object as a whole could not be loaded; its programs then say the same. */
  readonly failure?: Failure;
  /** The code of all accepted programs as a relocatable object of the target's architecture, where options.format is ELF. */
  readonly elf: Uint8Array;
  /** Where the request names several kernels: what each of them answers, in the order of `targets`. Of the other members only the
   * digest is there then. */
  readonly answers: readonly CompileResponse[];
  /** … and what is alike and what is not, program by program. */
  readonly comparisons: readonly ProgramComparison[];
}

export interface ProgramResult {
  readonly name: string;
  readonly section: string;
  readonly type: ProgramType | number;
  readonly accepted: boolean;
  /** As bpf(2) would answer: 0, -13 … */
  readonly errno: number;
  /** Why it was not accepted. */
  readonly failure?: Failure;
  /** The verifier's log. */
  readonly log: string;
  readonly stats?: VerifierStats;
  /** After relocation, as handed to the verifier; in the target's byte order, like `translated` and a map's `contents`. */
  readonly instructions: Uint8Array;
  /** After verification, as bpftool's xlated dump. */
  readonly translated: Uint8Array;
  readonly functions: readonly Function[];
  readonly relocations: readonly Relocation[];
  /** The kernel accepts the program and leaves it to its interpreter (it has no JIT, or the JIT gives up): there is no code. */
  readonly interpreted: boolean;
}

/** Where and why a program was refused. */
export interface Failure {
  readonly stage: Stage | number;
  /** Stable, in capitals. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
  /** As bpf(2) would answer. */
  readonly errno: number;
  /** Index of the instruction. */
  readonly instruction?: number;
  readonly subprogram: string;
  /** ELF section, symbol, and byte offset in the section. */
  readonly section: string;
  readonly symbol: string;
  readonly offset?: string;
  /** file:line of the source. */
  readonly source: string;
  /** The register at fault, as the log prints it. */
  readonly register: string;
}

export interface VerifierStats {
  readonly processedInstructions: number;
  readonly maxStatesPerInstruction: number;
  readonly totalStates: number;
  readonly peakStates: number;
  readonly markRead: number;
  /** Bytes of stack of each subprogram. */
  readonly stackDepths: readonly number[];
}

/** One function's machine code. */
export interface Function {
  readonly name: string;
  /** Where it was linked to; empty for position-independent code. */
  readonly address: string;
  readonly code: Uint8Array;
  readonly exceptionTable: readonly ExceptionEntry[];
  /** Of the table, from the function's start; 0 where there is none. */
  readonly exceptionTableOffset: number;
  readonly lines: readonly LineEntry[];
  /** With options.format LISTING: in order of the code. */
  readonly instructions: readonly ListedInstruction[];
}

export interface ExceptionEntry {
  /** Byte offset in the function of the load that may fault … */
  readonly offset: number;
  /** … and of where it then goes on. */
  readonly resume: number;
  /** The register that is zeroed, by the architecture's number: `register_name` says whether there is one. */
  readonly register: number;
  /** Linux's struct exception_table_entry. */
  readonly raw: Uint8Array;
  /** The register that is zeroed, as the architecture's manuals call it; empty where none is. */
  readonly registerName: string;
}

/** A place in the source that code comes from. */
export interface LineEntry {
  /** Byte offset in the function's code. */
  readonly offset: number;
  /** Index of the translated instruction. */
  readonly translated: number;
  /** Index of the instruction handed in; -1 where the kernel inserted it. */
  readonly instruction: number;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source line's text. */
  readonly text: string;
}

/** A BPF instruction as the JIT was given it. */
export interface ListedInstruction {
  /** Byte offset in the function of its code. */
  readonly offset: number;
  /** Index among the function's instructions. */
  readonly slot: number;
  /** As the kernel's log writes it, with names in place of addresses. */
  readonly text: string;
}

/** A place in position-independent code that a linker fills in. */
export interface Relocation {
  /** Index into functions. */
  readonly function: number;
  /** Byte offset in its code. */
  readonly offset: number;
  /** How the place is encoded. */
  readonly type: string;
  readonly kind: RelocationKind | number;
  readonly symbol: string;
  readonly index: number;
  readonly addend: string;
}

/** A map as BPF_MAP_CREATE takes it; in answers also what an object says of it. */
export interface Map {
  /** At most 15 characters are kept by the kernel. */
  readonly name: string;
  readonly type: MapType | number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly mapExtra: string;
  /** Types of key and value in the program's BTF. */
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  /** The template of a map-in-map's inner maps. */
  readonly innerMap?: Map;
  /** Answers only: the section the map was defined in, what it is filled with, and how it is pinned. */
  readonly section: string;
  readonly contents: Uint8Array;
  readonly frozen: boolean;
  readonly pinning: number;
  readonly numaNode: number;
}

/** A kernel that can be compiled for. */
export interface TargetInfo {
  /** As in Target.kernel. */
  readonly name: string;
  /** uname -r. */
  readonly release: string;
  /** SHA-256 over the profile's data. */
  readonly digest: string;
  /** How far its answers were held against that kernel. */
  readonly verified: string;
  readonly pageSize: number;
  /** Of the recorded machine, as /proc/cpuinfo names them; in lists of targets only. */
  readonly cpuFeatures: readonly string[];
  /** What the kernel can do that older ones cannot: words of docs/behaviours.md; in lists of targets only. */
  readonly features: readonly string[];
  /** The processor architecture: arm64, x86_64 or s390x. */
  readonly architecture: string;
}

/** One program on several kernels. */
export interface ProgramComparison {
  readonly name: string;
  readonly section: string;
  /** Kernels that say the same of it: accepted or not, errno, and why. One group: all agree. The first has the first answer. */
  readonly verdicts: readonly VerdictGroup[];
  /** Answers with the same log, the same translated instructions, the same machine code with its exception tables; of the last two only those
   * that accept it. */
  readonly logs: readonly AnswerGroup[];
  readonly translated: readonly AnswerGroup[];
  readonly code: readonly AnswerGroup[];
}

export interface VerdictGroup {
  /** Indices of `answers`. */
  readonly answers: readonly number[];
  readonly accepted: boolean;
  readonly errno: number;
  /** Of the failure. */
  readonly code: string;
  readonly message: string;
}

export interface AnswerGroup {
  /** Indices of `answers`. */
  readonly answers: readonly number[];
}

export interface ListTargetsResponse {
  /** The default first. */
  readonly targets: readonly TargetInfo[];
  readonly limits?: Limits;
}

/** What the service takes at most. */
export interface Limits {
  /** Of one request or gRPC message, after decompression. */
  readonly requestBytes: number;
  /** Of an uploaded BTF. */
  readonly btfBytes: string;
  /** For one request, waiting included; a client may ask for less. */
  readonly timeoutMilliseconds: number;
  /** In which a request must have arrived. */
  readonly receiveTimeoutMilliseconds: number;
}

export interface UploadBtfResponse {
  readonly digest: string;
  readonly size: string;
}

export interface Job {
  readonly id: string;
  readonly state: JobState | number;
  /** Items, those that are finished, and those of them that failed. */
  readonly total: number;
  readonly finished: number;
  readonly failed: number;
  readonly priority: Priority | number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly finishedAt: string;
  /** In the order of the requests. */
  readonly items: readonly JobItem[];
}

/** What became of one request. Members that CompileResponse has too have its numbers: a response reads as an item. */
export interface JobItem {
  /** Names the answer: GET /compilations/{digest}. */
  readonly digest: string;
  readonly programs: readonly ProgramSummary[];
  /** Why the object as a whole could not be loaded. */
  readonly failure?: Failure;
  /** Among the requests, from 0. */
  readonly index: number;
  readonly state: JobState | number;
  /** Why there is no answer. */
  readonly error?: JobError;
}

/** The verdict of a ProgramResult. */
export interface ProgramSummary {
  readonly name: string;
  readonly section: string;
  readonly accepted: boolean;
  readonly errno: number;
}

export interface JobError {
  /** As in problems. */
  readonly code: string;
  readonly detail: string;
  /** Path of the field at fault. */
  readonly field: string;
}

/** Members by message: name, kind, and how often. */
export const MESSAGES = {
  CompileRequest: [
    ["object","bytes"],
    ["programs","string","repeated"],
    ["program","RawProgram","optional"],
    ["target","Target","optional"],
    ["options","Options","optional"],
    ["link","Link","optional"],
    ["attachProgram","AttachProgram","optional"],
    ["targets","Target","repeated"],
  ],
  RawProgram: [
    ["name","string"],
    ["type","enum ProgramType"],
    ["expectedAttachType","enum AttachType"],
    ["instructions","bytes"],
    ["maps","Map","repeated"],
    ["btf","bytes"],
    ["funcInfo","bytes"],
    ["lineInfo","bytes"],
    ["license","string"],
    ["flags","number"],
    ["attachTo","string"],
    ["attachBtfId","number"],
  ],
  Map: [
    ["name","string"],
    ["type","enum MapType"],
    ["keySize","number"],
    ["valueSize","number"],
    ["maxEntries","number"],
    ["flags","number"],
    ["mapExtra","long"],
    ["btfKeyTypeId","number"],
    ["btfValueTypeId","number"],
    ["innerMap","Map","optional"],
    ["section","string"],
    ["contents","bytes"],
    ["frozen","boolean"],
    ["pinning","number"],
    ["numaNode","number"],
  ],
  Target: [
    ["kernel","string"],
    ["btf","bytes"],
    ["btfDigest","string"],
    ["cpu","Cpu","optional"],
    ["modules","Module","repeated"],
  ],
  Cpu: [
    ["lse","boolean","optional"],
    ["bti","boolean","optional"],
    ["pac","boolean","optional"],
    ["arm64","Arm64Cpu","optional"],
    ["x86_64","X8664Cpu","optional"],
    ["s390x","S390xCpu","optional"],
  ],
  Arm64Cpu: [
    ["lse","boolean","optional"],
    ["bti","boolean","optional"],
    ["pac","boolean","optional"],
  ],
  X8664Cpu: [
    ["bmi2","boolean","optional"],
    ["la57","boolean","optional"],
    ["retpoline","boolean","optional"],
    ["lfence","boolean","optional"],
    ["its","boolean","optional"],
    ["stuffing","boolean","optional"],
    ["rethunk","string","optional"],
  ],
  S390xCpu: [
    ["expolines","boolean","optional"],
  ],
  Module: [
    ["name","string"],
    ["btf","bytes"],
    ["btfDigest","string"],
  ],
  Options: [
    ["logLevel","number"],
    ["legacyMaps","boolean"],
    ["format","enum Format"],
    ["capabilities","Capabilities","optional"],
  ],
  Capabilities: [
    ["bpf","boolean"],
    ["perfmon","boolean"],
    ["netAdmin","boolean"],
    ["sysAdmin","boolean"],
    ["sysBoot","boolean"],
  ],
  Link: [
    ["functions","string","repeated"],
    ["maps","MapAddress","map"],
    ["symbols","string","map"],
    ["programAux","string"],
  ],
  MapAddress: [
    ["address","string"],
    ["valueAddress","string"],
    ["kernelAddress","string"],
  ],
  AttachProgram: [
    ["program","RawProgram","optional"],
    ["object","bytes"],
    ["name","string"],
    ["function","string"],
    ["attachProgram","AttachProgram","optional"],
  ],
  SubmitJobRequest: [
    ["requests","CompileRequest","repeated"],
    ["priority","enum Priority"],
    ["callbackUrl","string"],
    ["idempotencyKey","string"],
  ],
  CompileResponse: [
    ["digest","string"],
    ["programs","ProgramResult","repeated"],
    ["maps","Map","repeated"],
    ["target","TargetInfo","optional"],
    ["failure","Failure","optional"],
    ["elf","bytes"],
    ["answers","CompileResponse","repeated"],
    ["comparisons","ProgramComparison","repeated"],
  ],
  ProgramResult: [
    ["name","string"],
    ["section","string"],
    ["type","enum ProgramType"],
    ["accepted","boolean"],
    ["errno","number"],
    ["failure","Failure","optional"],
    ["log","string"],
    ["stats","VerifierStats","optional"],
    ["instructions","bytes"],
    ["translated","bytes"],
    ["functions","Function","repeated"],
    ["relocations","Relocation","repeated"],
    ["interpreted","boolean"],
  ],
  Failure: [
    ["stage","enum Stage"],
    ["code","string"],
    ["message","string"],
    ["errno","number"],
    ["instruction","number","optional"],
    ["subprogram","string"],
    ["section","string"],
    ["symbol","string"],
    ["offset","long","optional"],
    ["source","string"],
    ["register","string"],
  ],
  VerifierStats: [
    ["processedInstructions","number"],
    ["maxStatesPerInstruction","number"],
    ["totalStates","number"],
    ["peakStates","number"],
    ["markRead","number"],
    ["stackDepths","number","repeated"],
  ],
  Function: [
    ["name","string"],
    ["address","string"],
    ["code","bytes"],
    ["exceptionTable","ExceptionEntry","repeated"],
    ["exceptionTableOffset","number"],
    ["lines","LineEntry","repeated"],
    ["instructions","ListedInstruction","repeated"],
  ],
  ExceptionEntry: [
    ["offset","number"],
    ["resume","number"],
    ["register","number"],
    ["raw","bytes"],
    ["registerName","string"],
  ],
  LineEntry: [
    ["offset","number"],
    ["translated","number"],
    ["instruction","number"],
    ["file","string"],
    ["line","number"],
    ["column","number"],
    ["text","string"],
  ],
  ListedInstruction: [
    ["offset","number"],
    ["slot","number"],
    ["text","string"],
  ],
  Relocation: [
    ["function","number"],
    ["offset","number"],
    ["type","string"],
    ["kind","enum RelocationKind"],
    ["symbol","string"],
    ["index","number"],
    ["addend","long"],
  ],
  TargetInfo: [
    ["name","string"],
    ["release","string"],
    ["digest","string"],
    ["verified","string"],
    ["pageSize","number"],
    ["cpuFeatures","string","repeated"],
    ["features","string","repeated"],
    ["architecture","string"],
  ],
  ProgramComparison: [
    ["name","string"],
    ["section","string"],
    ["verdicts","VerdictGroup","repeated"],
    ["logs","AnswerGroup","repeated"],
    ["translated","AnswerGroup","repeated"],
    ["code","AnswerGroup","repeated"],
  ],
  VerdictGroup: [
    ["answers","number","repeated"],
    ["accepted","boolean"],
    ["errno","number"],
    ["code","string"],
    ["message","string"],
  ],
  AnswerGroup: [
    ["answers","number","repeated"],
  ],
  ListTargetsResponse: [
    ["targets","TargetInfo","repeated"],
    ["limits","Limits","optional"],
  ],
  Limits: [
    ["requestBytes","number"],
    ["btfBytes","long"],
    ["timeoutMilliseconds","number"],
    ["receiveTimeoutMilliseconds","number"],
  ],
  UploadBtfResponse: [
    ["digest","string"],
    ["size","long"],
  ],
  Job: [
    ["id","string"],
    ["state","enum JobState"],
    ["total","number"],
    ["finished","number"],
    ["failed","number"],
    ["priority","enum Priority"],
    ["createdAt","string"],
    ["finishedAt","string"],
    ["items","JobItem","repeated"],
  ],
  JobItem: [
    ["digest","string"],
    ["programs","ProgramSummary","repeated"],
    ["failure","Failure","optional"],
    ["index","number"],
    ["state","enum JobState"],
    ["error","JobError","optional"],
  ],
  ProgramSummary: [
    ["name","string"],
    ["section","string"],
    ["accepted","boolean"],
    ["errno","number"],
  ],
  JobError: [
    ["code","string"],
    ["detail","string"],
    ["field","string"],
  ],
} as const;

/** The first of each, which stands for absence. */
export const FIRST = {
  "ProgramType": "BPF_PROG_TYPE_UNSPEC",
  "AttachType": "BPF_CGROUP_INET_INGRESS",
  "MapType": "BPF_MAP_TYPE_UNSPEC",
  "Format": "CODE",
  "Priority": "NORMAL",
  "Stage": "STAGE_UNSPECIFIED",
  "RelocationKind": "KIND_UNSPECIFIED",
  "JobState": "JOB_STATE_UNSPECIFIED"
} as const;
