/** The check as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), which code hosts show at the lines it names. */
import { relative, resolve, sep } from 'node:path';
import { VERSION } from '../../service/version.js';
import { failed, type Verdict } from './verdict.js';

interface Result {
  readonly rule: string;
  readonly about: string;
  readonly text: string;
}

/** `root`: the folder that paths of sources begin in, where they are not absolute. Paths are told from the working folder. */
export function sarif(verdicts: readonly Verdict[], root: string): object {
  const results = verdicts
    .filter(failed)
    .flatMap((verdict) => resultsOf(verdict).map((result) => ({ verdict, result })));
  const rules = [...new Map(results.map(({ result }) => [result.rule, result.about]))];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'bpf-jitd',
            semanticVersion: VERSION,
            rules: rules.map(([id, text]) => ({ id, shortDescription: { text } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: results.map(({ verdict, result }) => ({
          ruleId: result.rule,
          ruleIndex: rules.findIndex(([id]) => id === result.rule),
          level: 'error',
          message: { text: result.text },
          locations: [location(verdict, root)],
          partialFingerprints: {
            'program/v1': [verdict.object, verdict.program, verdict.kernel, result.rule].join(' '),
          },
        })),
      },
    ],
  };
}

function resultsOf({ program, object, kernel, failure, overruns }: Verdict): Result[] {
  const who = `${program === '' ? object : program} on ${kernel}`;
  if (failure !== null) {
    const rule = `${failure.stage ?? 'LOAD'}/${failure.code ?? 'REJECTED'}`;
    return [{ rule, about: `Refused: ${rule}`, text: `${who}: ${failure.message ?? 'rejected'}` }];
  }
  return overruns.map(({ figure, value, budget }) => ({
    rule: `BUDGET/${figure}`,
    about: `${figure} is over its budget`,
    text: `${who}: ${figure} is ${value}, over its budget of ${budget}`,
  }));
}

/** The line of the source where one is known, else the object. */
function location({ source, object, program }: Verdict, root: string): object {
  const [, file = object, line] = /^(.*):(\d+)$/.exec(source ?? '') ?? [];
  const inside = relative('', line === undefined ? file : resolve(root, file));
  const uri = encodeURI((inside.startsWith('..') ? file : inside).split(sep).join('/'));
  const region = line === undefined || Number(line) < 1 ? {} : { region: { startLine: Number(line) } };
  return {
    physicalLocation: { artifactLocation: { uri }, ...region },
    ...(program === '' ? {} : { logicalLocations: [{ name: program, kind: 'function' }] }),
  };
}
