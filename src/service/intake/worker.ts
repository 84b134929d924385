/** A worker thread that reads what clients sent. */
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina';
import { ServiceError, toWire } from '../errors.js';
import { readSource } from './read.js';
import type { IntakeSetup, IntakeTask, IntakeOutcome } from './task.js';
import { readUpload } from './upload.js';

const { naming, maxRequests } = workerData as IntakeSetup;

export default async function run(task: IntakeTask): Promise<IntakeOutcome> {
  try {
    return moved(
      'upload' in task
        ? { upload: await readUpload(task.upload) }
        : { read: readSource(task.source, naming, maxRequests) },
    );
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { refused: toWire(error) };
  }
}

/** Bytes change hands instead of being copied (Piscina's protocol for what holds transferables). */
function moved(outcome: Exclude<IntakeOutcome, { refused: string }>): IntakeOutcome {
  const all =
    'upload' in outcome
      ? [outcome.upload.bytes]
      : outcome.read.requests.flatMap(({ bytes, each }) => [bytes, ...each.map((one) => one.bytes)]);
  const buffers = all.filter(({ byteLength, buffer }) => byteLength === buffer.byteLength).map(({ buffer }) => buffer);
  return move({
    [transferableSymbol]: [...new Set(buffers)],
    [valueSymbol]: outcome,
  } as never) as unknown as IntakeOutcome;
}
