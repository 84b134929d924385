/** CPU features as queries and commands say them: `x86_64.bmi2=false,arm64.lse=true`. */
import { membersOf } from './members.js';
import { messageType } from './schema.js';

const FEATURES = membersOf(messageType('bpfjit.v1.Cpu'));

/** Names of the features that the message itself has: those of the first architecture, before there were others. */
export const UNNAMED_CPU_FEATURES: readonly string[] = FEATURES.filter(({ message }) => message === null).map(
  ({ name }) => name,
);

/** Which features there are, for the API's description. */
export function namedCpuFeatures(): string {
  const lists = FEATURES.flatMap(({ name, message }) => {
    const features =
      message === null ? [] : membersOf(message).map((feature) => feature.field.protoName ?? feature.name);
    return features.length === 0 ? [] : [`${name}: ${features.join(', ')}.`];
  });
  return lists.join(' ');
}

/**
 * The message's JSON. What is no such list becomes a member that there is none of, or a value of the wrong type, for
 * readJson to refuse. Values other than true and false stay text.
 */
export function cpuFromText(text: string): Record<string, unknown> {
  const cpu: Record<string, unknown> = {};
  for (const item of text.split(',').filter((one) => one !== '')) {
    const [, architecture, feature, value] = /^([^.=]+)\.([^=]+)=(.*)$/.exec(item) ?? [];
    if (architecture === undefined || feature === undefined) cpu[item] = null;
    else cpu[architecture] = { ...(cpu[architecture] as object | undefined), [feature]: factOf(value ?? '') };
  }
  return cpu;
}

/** True and false as JSON has them, also written as 1 and 0; anything else as it is. */
export function factOf(text: string): unknown {
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
}
