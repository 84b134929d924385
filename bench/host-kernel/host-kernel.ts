/** This machine's kernel as a verifier: how long it takes for a program of an object. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoaderProfile } from '../../src/compiler/load/loader-profile.js';
import { loadObject } from '../../src/compiler/load/object.js';
import type { Profile } from '../../src/compiler/targets/profile.js';
import * as uapi from '../../src/compiler/targets/uapi.js';
import type { Measured, VerificationTime } from '../verifier/measured.js';
import { describeProgram } from './describe.js';
import { readHostProfile } from './host-profile.js';

const SOURCE = join(import.meta.dirname, 'load.c');

/** A program that is right for every kernel, of a type that needs the right to load programs: r0 = 0; exit. */
const PROBE = `program probe ${uapi.BPF_PROG_TYPE_SCHED_CLS} 0 0 0 00 b7000000000000009500000000000000 - - 1\n`;

export class HostKernel {
  private constructor(
    private readonly folder: string,
    private readonly profile: LoaderProfile,
  ) {}

  /**
   * Builds the loader with the host's C compiler, in a folder that `close` removes, and tries whether the kernel lets it
   * load programs. `recorded` answers for the host where the loader asks what the host will say itself.
   */
  static open(recorded: Profile): Measured<HostKernel> {
    const profile = readHostProfile(recorded);
    if (!profile.ok) return profile;
    const folder = mkdtempSync(join(tmpdir(), 'bpf-jitd-bench-'));
    const kernel = new HostKernel(folder, profile.value);
    const usable = kernel.build();
    if (usable.ok) return { ok: true, value: kernel };
    kernel.close();
    return usable;
  }

  /** Release of the kernel, as `uname -r` says it. */
  get release(): string {
    return this.profile.release;
  }

  /** Loads a program of an object for this kernel and into it, several times. */
  verify(object: Uint8Array, name: string, times: number): Measured<VerificationTime> {
    const loaded = loadObject(object, this.profile, { programs: [name], legacyMaps: false }).programs[0];
    if (loaded === undefined) return { ok: false, reason: 'the object cannot be read' };
    if (!loaded.program.ok) return { ok: false, reason: loaded.program.failure.message };
    return this.run(describeProgram(loaded.program.value, times));
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }

  private build(): Measured<unknown> {
    const { status, stderr, error } = spawnSync('cc', ['-O1', '-o', this.loader, SOURCE], { encoding: 'latin1' });
    if (status === 0) return this.run(PROBE);
    const reason = error === undefined ? (/^.*\berror\b.*$/m.exec(stderr)?.[0] ?? 'cc fails') : error.message;
    return { ok: false, reason: `no loader: ${reason}` };
  }

  private run(description: string): Measured<VerificationTime> {
    const { status, stdout, stderr } = spawnSync(this.loader, { input: description, encoding: 'latin1' });
    return status === 0
      ? { ok: true, value: readStatistics(stdout) }
      : { ok: false, reason: [stderr.trim(), lastWords(stdout)].filter((text) => text !== '').join(': ') };
  }

  private get loader(): string {
    return join(this.folder, 'load');
  }
}

/** The kernel's own figures: what logs at level 4 say of the same program, verified several times. */
export function readStatistics(logs: string): VerificationTime {
  const times = [...logs.matchAll(/^verification time (\d+) usec$/gm)].map(([, microseconds]) => Number(microseconds));
  return {
    milliseconds: Math.min(...times) / 1000,
    instructions: Number(/^processed (\d+) insns/m.exec(logs)?.[1]),
  };
}

/** The last sentence of a rejection's log, before its statistics; '' where there is none. */
export function lastWords(log: string): string {
  const others = /^(; |verification time |stack depth |processed |$)/; // source lines, statistics
  return log.split('\n').findLast((line) => !others.test(line)) ?? '';
}
