import { iterators as recordIterators } from './facts/kernel-data.js';
import * as data from './facts/kernel-data.js';
import * as kinds from '../../src/compiler/btf/kinds.js';
import type { ContextData, HelperData, KernelData } from '../../src/compiler/targets/data.js';
import { loadQuestionBtf } from './ask/btf.js';
import { HelperTable } from '../../src/compiler/targets/helper-table.js';
import { askAsLesser, askHelpers, liveKinds, type LesserAnswers, type LiveKind } from './ask/helpers.js';
import { assemble, load, RETURN_ZERO } from './ask/load.js';
import { askInlinedHelpers } from './ask/inlined-helpers.js';
import { askMapHelpers, askSleepableMaps, type MapQuestions } from './ask/map-helpers.js';
import { makeMaps } from './ask/maps.js';
import { askPrograms } from './ask/programs.js';
import { ProgramEmulator } from './emulate/program.js';
import { recordContexts } from './facts/contexts.js';
import { recordFeatures } from './facts/features.js';
import { functionSets, recordFunctions } from './facts/functions.js';
import { recordHelpers } from './facts/helpers.js';
import { idSets } from './facts/id-sets.js';
import { configuration, machineFacts, type MachineFacts } from './facts/manifest.js';
import { operationsOf } from './facts/operations.js';
import { recordOpcodes, recordPacketAccess, recordSocketMapUpdates } from './facts/packets.js';
import { recordStructOps, registeredStructOps } from './facts/struct-ops.js';
import { Vocabulary } from './facts/vocabulary.js';
import { Kernel } from './kernel/kernel.js';
import type { RecordedArchitecture } from './architectures/architecture.js';
import type { Agent } from './machine/agent.js';

/** Everything recorded of a kernel. */
export interface Recording {
  readonly kernel: Kernel;
  /** How far from where it was linked the kernel ran; null where it does not say. */
  readonly loadOffset: bigint | null;
  /** Settings of .config, a line each. */
  readonly config: string;
  readonly machine: MachineFacts;
  readonly features: readonly string[];
  readonly helpers: HelperData;
  readonly contexts: ContextData;
  readonly data: KernelData;
  /** What the live kernel said: kinds of programs it takes, and by helper number whether each may call it. */
  readonly live: readonly LiveKind[];
  readonly mayCall: readonly (readonly boolean[])[];
  /** The same for processes with less than all capabilities. */
  readonly lesser: readonly LesserAnswers[];
}

export type Progress = (step: string) => void;

/** Records a kernel. First the live kernel is asked, then its tables are read and its own functions are run. */
export async function record(
  architecture: RecordedArchitecture,
  agent: Agent,
  systemMap: string | null,
  progress: Progress,
): Promise<Recording> {
  const kernel = await Kernel.open(architecture, agent, systemMap);
  const { btf } = kernel;
  const types = kernel.enumerators('bpf_prog_type');
  const attachTypes = kernel.enumerators('bpf_attach_type');
  progress('asking which kinds of programs the kernel takes');
  await touchIterators(kernel);
  const live = await liveKinds(agent, btf, types, attachTypes);
  const helperCount = Math.max(...[...kernel.enumerators('bpf_func_id').values()]);
  progress(`asking ${live.length} kinds of programs for ${helperCount} helpers each`);
  const mayCall = await askHelpers(agent, live, helperCount);
  progress('asking the same as processes with fewer capabilities');
  const lesser = await askAsLesser(agent, live, helperCount);
  const programs = await askPrograms(agent, types, attachTypes);

  progress('reading the kernel');
  await kernel.photograph();
  const { memory } = kernel;
  const emulator = new ProgramEmulator(kernel);
  const vocabulary = new Vocabulary(kernel);
  const config = await configuration(agent);
  const machine = await machineFacts(kernel, emulator, config);
  const structs = await memory.settle(() => registeredStructOps(kernel));
  const operations = await operationsOf(kernel, structs);
  const sets = idSets(kernel);
  const targets = await memory.settle(() => recordIterators(kernel, vocabulary));
  const hooks = (sets['bpf_lsm_hooks'] ?? []).filter((id) => id !== 0);

  progress('helpers');
  const named = new Set(Object.values(sets).flat());
  const functions = [...named].filter((id) => id > 0 && btf.has(id) && btf.kind(id) === kinds.KIND_FUNC);
  const candidates = [...new Set([0, ...functions, ...targets.map(({ btfId }) => btfId)])].sort((a, b) => a - b);
  const helpers = await recordHelpers(kernel, emulator, vocabulary, operations, candidates, hooks);
  progress('contexts');
  const contexts = await recordContexts(emulator, vocabulary, operations);
  progress('kernel functions');
  const functionsByHook = await memory.settle(() => functionSets(kernel));
  const functionVariants = await recordFunctions(emulator, functionsByHook, structs);
  progress('asking which helpers take which maps');
  const mapRules = await askMaps(kernel, helpers, live, progress);
  progress('the rest');
  const structOps = await recordStructOps(emulator, vocabulary, structs, operations);
  const all: KernelData = {
    programs,
    packetAccess: await recordPacketAccess(emulator),
    opcodes: await recordOpcodes(emulator),
    socketMapUpdates: await recordSocketMapUpdates(emulator),
    ...mapRules,
    inlinedHelpers: await askInlinedHelpers(agent, helpers, live, mayCall),
    functionSets: functionsByHook,
    functions: functionVariants,
    idSets: sets,
    destructors: await memory.settle(() => data.destructors(kernel)),
    mapOps: await memory.settle(() => data.mapOperations(kernel)),
    structOps,
    iterators: targets,
    rawTracepoints: await memory.settle(() => data.rawTracepoints(kernel)),
    rawTracepointNulls: await memory.settle(() => data.rawTracepointNulls(kernel)),
    errorInjectable: await memory.settle(() => data.errorInjectable(kernel)),
    contextTypes: data.contextTypes(kernel),
    lsmResults: await data.lsmResults(emulator, hooks),
  };
  const features = await recordFeatures(emulator, helpers, all);
  const loadOffset = await kernel.loadOffset();
  return { kernel, loadOffset, config, machine, features, helpers, contexts, live, mayCall, lesser, data: all };
}

/** What the live kernel says of maps: which helpers take them, and which of them sleepable programs may use. */
export async function askMaps(
  kernel: Kernel,
  helpers: HelperData,
  live: readonly LiveKind[],
  progress: Progress,
): Promise<Pick<KernelData, 'mapHelpers' | 'sleepableMaps'>> {
  const { agent, btf } = kernel;
  const questionBtf = await loadQuestionBtf(agent);
  const table = new HelperTable(helpers);
  const questions: MapQuestions = {
    agent,
    btf,
    questionBtf,
    live,
    maps: await makeMaps(agent, kernel.enumerators('bpf_map_type'), questionBtf),
    types: kernel.enumerators('bpf_prog_type'),
    attachTypes: kernel.enumerators('bpf_attach_type'),
    helper: ({ type, attachType, attachBtfId, sleepable }, id) =>
      table.helper(type, attachType, attachBtfId, id, sleepable),
  };
  const answers = await askMapHelpers(questions, helpers.names.length);
  for (const { helper, open } of answers) {
    for (const [complaint, types] of open) {
      const name = helpers.names[helper] ?? '';
      progress(`helper ${helper} (${name}) never gets to see maps of types ${types.join()}: ${complaint}`);
    }
  }
  // A helper whose arguments cannot be had for the asking is left without a rule.
  const mapHelpers = answers
    .filter(({ takes }) => takes.length > 0)
    .map(({ helper, takes }): [number, readonly number[]] => [helper, takes]);
  return { mapHelpers, sleepableMaps: await askSleepableMaps(questions) };
}

/** The kernel looks an iterator's function up when the first program for it is loaded: be that first program. */
async function touchIterators(kernel: Kernel): Promise<void> {
  const { btf } = kernel;
  const type = kernel.enumerators('bpf_prog_type').get('BPF_PROG_TYPE_TRACING');
  const attachType = kernel.enumerators('bpf_attach_type').get('BPF_TRACE_ITER');
  if (type === undefined || attachType === undefined) return;
  const instructions = assemble(RETURN_ZERO);
  const loads = [];
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kind(id) !== kinds.KIND_FUNC || !btf.typeName(id).startsWith('bpf_iter_')) continue;
    loads.push(load(kernel.agent, { type, attachType, attachBtfId: id, sleepable: false, instructions }));
  }
  await Promise.all(loads);
}
