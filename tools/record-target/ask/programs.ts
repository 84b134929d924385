import type { AttachTypes, ProgramRecord } from '../../../src/compiler/targets/data.js';
import type { Agent } from '../machine/agent.js';
import type { Enumerators } from './helpers.js';
import { assemble, load, RETURN_ZERO, type Answer } from './load.js';

/** An attach type that no kernel has: where a program may have it, any will do. */
const NO_ATTACH_TYPE = 1000;
/** The verifier's last words at this level tell its refusals from those of BPF_PROG_LOAD itself, which says nothing. */
const LOG_ERRORS_AND_COUNTS = 5;
const MAY_NOT_SLEEP = /^Only .* can be sleepable/m;

/** Every program type that the live kernel takes, with which expected attach types, and which of them may sleep. */
export async function askPrograms(agent: Agent, types: Enumerators, attaches: Enumerators): Promise<ProgramRecord[]> {
  const attachTypes = [...attaches].filter(([name]) => !name.startsWith('__')).map(([, value]) => value);
  const instructions = assemble(RETURN_ZERO);
  const found: ProgramRecord[] = [];
  for (const [name, type] of types) {
    if (name.startsWith('__')) continue;
    const ask = (attachType: number, sleepable: boolean) =>
      load(agent, { type, attachType, attachBtfId: 0, sleepable, instructions, logLevel: LOG_ERRORS_AND_COUNTS });
    const answers = await Promise.all(
      [NO_ATTACH_TYPE, ...attachTypes].map(async (attachType) => ({
        attachType,
        taken: isVerified(await ask(attachType, false)),
        sleeps: maySleep(await ask(attachType, true)),
      })),
    );
    const [other, ...named] = answers;
    const set = (property: 'taken' | 'sleeps'): AttachTypes => ({
      others: other![property],
      listed: named.filter((a) => a[property] !== other![property]).map(({ attachType }) => attachType),
    });
    if (named.some(({ taken }) => taken)) found.push({ type, attachTypes: set('taken'), sleepable: set('sleeps') });
  }
  return found;
}

/** Whether the program got as far as to the verifier. */
function isVerified({ errno, log }: Answer): boolean {
  return errno === 0 || log !== '';
}

function maySleep(answer: Answer): boolean {
  return isVerified(answer) && !MAY_NOT_SLEEP.test(answer.log);
}
