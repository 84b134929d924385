import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedArchitecture } from '../architectures/architecture.js';
import { Agent } from './agent.js';

export interface Machine {
  readonly agent: Agent;
  /** Turns the machine off, or leaves it. */
  stop(): Promise<void>;
}

/** Seconds within which a machine must have booted. */
const BOOT_LIMIT = 900;

/**
 * Boots what `prepare` made (kernel, initrd) in QEMU. KASLR stays off, so that one kernel's addresses are the same in
 * every boot; the processor has every feature that QEMU knows, as the profile says of its CPU.
 */
export async function bootQemu({ qemu: boot, byteOrder }: RecordedArchitecture, directory: string): Promise<Machine> {
  const scratch = mkdtempSync(join(tmpdir(), 'record-target-'));
  const path = join(scratch, 'port');
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const qemu = spawn(
    boot.command,
    [
      ...boot.arguments,
      ...['-smp', '1', '-m', '1G', '-nographic', '-nic', 'none', '-no-reboot'],
      ...['-kernel', join(directory, 'kernel'), '-initrd', join(directory, 'initrd')],
      ...['-append', `console=${boot.console} nokaslr quiet panic=-1 rdinit=/init`],
      ...['-device', 'virtio-serial', '-chardev', `socket,id=line,path=${path}`],
      ...['-device', 'virtserialport,chardev=line,name=line'],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  qemu.stdout.on('data', (text: Buffer) => process.stderr.write(text));
  const ended = exited(qemu, 'QEMU');
  const stop = async (): Promise<void> => {
    qemu.kill();
    await ended.catch(() => undefined);
    server.close();
    rmSync(scratch, { recursive: true, force: true });
  };
  try {
    const socket = await Promise.race([connected, ended.then(() => Promise.reject(new Error('QEMU ended')))]);
    const agent = new Agent(socket, socket, byteOrder);
    await Promise.race([agent.file('/proc/version'), timeLimit(BOOT_LIMIT)]);
    return { agent, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Talks to an agent that a command runs, such as `ssh root@board /tmp/agent` or, for this very machine, `sudo ./agent`. */
export function runAgent({ byteOrder }: RecordedArchitecture, command: string): Machine {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = exited(child, command);
  ended.catch(() => undefined); // the agent's requests fail by themselves when the line closes
  return {
    agent: new Agent(child.stdin, child.stdout, byteOrder),
    stop: async () => {
      child.stdin.end();
      await ended.catch(() => undefined);
    },
  };
}

function exited(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0 || code === null) resolve();
      else reject(new Error(`${name} ended with status ${code}`));
    });
  });
}

function timeLimit(seconds: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => {
      reject(new Error(`no answer from the machine within ${seconds} s`));
    }, seconds * 1000).unref();
  });
}
