/** Servers as processes of their own, as they are run, so that whoever measures them takes nothing of their thread. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ServerProcess {
  readonly pid: number;
  readonly url: string;
  /** host:port; empty where there is no gRPC. */
  readonly grpc: string;
  /** Resolves to the status that the process ended with. */
  stop(): Promise<number | null>;
}

/** dist/main.js, as `npm run build` made it, with an empty data directory. */
export async function startService(settings: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-bench-'));
  const env = { BPF_JITD_PORT: '0', BPF_JITD_GRPC_PORT: '0', BPF_JITD_DATA_DIR: dir, ...settings };
  return startServer([fileURLToPath(new URL('../dist/main.js', import.meta.url))], env, () => {
    rmSync(dir, { recursive: true, force: true });
  });
}

/** A Node process whose log says, in JSON, where it serves. */
export async function startServer(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ended: () => void,
): Promise<ServerProcess> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { url, grpc = '' } = JSON.parse(line) as { url?: string; grpc?: string };
    if (url === undefined) continue;
    child.stdout.resume(); // what it logs later is not kept
    return { pid: child.pid!, url, grpc, stop: () => stop(child).finally(ended) };
  }
  throw new Error(`${args.join(' ')} did not start`);
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exit = once(child, 'exit') as Promise<[number | null]>;
  child.kill('SIGTERM');
  return (await exit)[0];
}
