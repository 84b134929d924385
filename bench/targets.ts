/** Recorded kernels: what they take on disk, to load, and in each worker beside the memory that all share. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openKernelBtf } from '../src/compiler/kernel-btf.js';
import { decodeProfile } from '../src/compiler/targets/decode.js';
import type { TargetFiles } from '../src/service/pool/protocol.js';
import { collector } from './collect.js';
import { median } from './statistics.js';
import { readTarget, targetNames, TARGETS_DIR } from '../src/service/targets.js';

const ROUNDS = 5;
const KIBIBYTE = 1024;
const MEBIBYTE = KIBIBYTE * KIBIBYTE;

/** Median milliseconds. */
function time(work: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return median(times);
}

/** Bytes of a worker's own heap that a profile takes once it has been decoded. */
async function heapInWorker(target: TargetFiles): Promise<number> {
  const start = `import('tsx/esm/api').then(({ register }) => { register(); return import('${import.meta.url}'); })`;
  const worker = new Worker(start, { eval: true, workerData: target });
  const bytes = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  await worker.terminate();
  return bytes;
}

export async function benchTargets(): Promise<void> {
  for (const name of targetNames()) {
    const folder = join(TARGETS_DIR, name);
    const packed = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    const target = readTarget(name);
    const shared = [...target.files.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
    const read = time(() => readTarget(name));
    const decode = time(() => decodeProfile(target.files, openKernelBtf(target.btf)));
    const heap = await heapInWorker(target);
    console.log(
      `${name}: ${(packed / MEBIBYTE).toFixed(2)} MiB packed, read and indexed in ${read.toFixed(0)} ms (once), ` +
        `decoded in ${decode.toFixed(0)} ms; ${(shared / MEBIBYTE).toFixed(1)} MiB shared, ` +
        `${(heap / KIBIBYTE).toFixed(0)} KiB in each worker`,
    );
  }
  console.log();
}

if (!isMainThread && parentPort !== null) {
  const target = workerData as TargetFiles;
  const collect = collector();
  collect();
  const before = process.memoryUsage().heapUsed;
  const profile = decodeProfile(target.files, openKernelBtf(target.btf));
  collect();
  parentPort.postMessage(process.memoryUsage().heapUsed - before);
  if (profile.name !== target.name) throw new Error('the profile is another');
}
