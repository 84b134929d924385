import { KIND_FUNC } from '../../../src/compiler/btf/kinds.js';
import type { AllowedRule } from '../../../src/compiler/targets/data.js';
import type { ProgramEmulator, ProgramKind } from '../emulate/program.js';

/** Functions that stand for all others where attach types are compared: every so manieth. */
const SAMPLE = 256;

/**
 * What a prototype's `allowed` says of attach points; null where it has none. Where it looks at the function that the
 * program is attached to, it is asked of every function of the kernel; of the hooks, for LSM programs.
 */
export async function recordAllowed(
  emulator: ProgramEmulator,
  proto: bigint,
  types: readonly number[],
  hooks: readonly number[],
): Promise<readonly AllowedRule[] | null> {
  const { kernel } = emulator;
  const function_ = await kernel.memory.settle(() => kernel.read(proto, 'bpf_func_proto', 'allowed'));
  if (function_ === 0n) return null;
  const recorder = new AttachPointRecorder(emulator, function_, hooks);
  const rules: AllowedRule[] = [];
  for (const type of types) rules.push(...(await recorder.rules(type)));
  return rules;
}

/** Answers that attach types share: the usual one, and the functions of which the kernel says otherwise. */
interface Answers {
  readonly usual: boolean;
  readonly except: readonly number[];
}

class AttachPointRecorder {
  private readonly functions: readonly number[];
  private readonly attachTypes: number;
  private readonly lsm: number | undefined;

  constructor(
    private readonly emulator: ProgramEmulator,
    private readonly allowed: bigint,
    private readonly hooks: readonly number[],
  ) {
    const { btf } = emulator.kernel;
    this.functions = Array.from({ length: btf.typeCount }, (_, id) => id).filter(
      (id) => id > 0 && btf.kind(id) === KIND_FUNC,
    );
    this.lsm = emulator.kernel.enumerators('bpf_prog_type').get('BPF_PROG_TYPE_LSM');
    this.attachTypes = emulator.kernel.enumerators('bpf_attach_type').get('__MAX_BPF_ATTACH_TYPE') ?? 64;
  }

  async rules(type: number): Promise<AllowedRule[]> {
    const rules: AllowedRule[] = [];
    const known: Answers[] = [];
    const functions = type === this.lsm ? this.hooks : this.functions;
    for (const toProgram of [true, false]) {
      const groups = new Map<Answers, number[]>();
      for (let attachType = 0; attachType < this.attachTypes; attachType++) {
        const kind = { type, attachType, sleepable: false, attachBtfId: 0, toProgram };
        const answers = await this.answers(kind, functions, known);
        if (!known.includes(answers)) known.push(answers);
        groups.set(answers, [...(groups.get(answers) ?? []), attachType]);
      }
      for (const [{ usual, except }, attachTypes] of groups) {
        const pattern = { type, attachTypes: groups.size > 1 ? attachTypes : null, toProgram };
        if (except.length > 0) rules.push({ ...pattern, attachBtfIds: except, allowed: !usual });
        rules.push({ ...pattern, attachBtfIds: null, allowed: usual });
      }
    }
    return rules;
  }

  /** `known`: answers of other attach types, which are tried before all functions are gone through. */
  private async answers(kind: ProgramKind, functions: readonly number[], known: readonly Answers[]): Promise<Answers> {
    this.emulator.forget();
    const usual = await this.ask(kind, 0);
    if (!this.emulator.looked.attachBtfId) {
      return known.find((a) => a.usual === usual && a.except.length === 0) ?? { usual, except: [] };
    }
    for (const answers of known) if (await this.agrees(kind, functions, answers)) return answers;
    const except: number[] = [];
    for (const id of functions) if ((await this.ask(kind, id)) !== usual) except.push(id);
    return { usual, except };
  }

  private async agrees(kind: ProgramKind, functions: readonly number[], { usual, except }: Answers): Promise<boolean> {
    if (except.length === 0) return false; // perhaps of programs whose attach point does not count
    for (const id of except) if ((await this.ask(kind, id)) === usual) return false;
    const exceptions = new Set(except);
    for (let i = 0; i < functions.length; i += SAMPLE) {
      const id = functions[i]!;
      if (!exceptions.has(id) && (await this.ask(kind, id)) !== usual) return false;
    }
    return (await this.ask(kind, 0)) === usual;
  }

  private async ask(kind: ProgramKind, attachBtfId: number): Promise<boolean> {
    const answer = await this.emulator.run({ ...kind, attachBtfId }, () => undefined, this.allowed, [
      this.emulator.program,
    ]);
    return (answer & 0xffn) !== 0n;
  }
}
