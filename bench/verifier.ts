/**
 * Verified instructions a second, one worker, for the programs of a corpus that take the most of them; and how long that
 * takes beside this machine's own kernel, with the same program of the same object.
 */
import { existsSync } from 'node:fs';
import { loadProfile } from '../src/service/targets.js';
import { HostKernel } from './host-kernel/host-kernel.js';
import { median } from './statistics.js';
import { best, rate, type Measured, type VerificationTime } from './verifier/measured.js';
import { verifyHere } from './verifier/ours.js';
import { largestPrograms } from './verifier/programs.js';
import { headerText, ratiosOf, rowText, type Row } from './verifier/table.js';

const TARGET = 'linux-6.12-arm64';
const PROGRAMS = 10;
/** Verifications in a row, and turns that the two sides take. */
const ROUNDS = 3;
const TURNS = 3;
/** What the host's kernel reached for these programs on an idle machine (Linux 6.18, two cores, load 0.02), thousands a second. */
const IDLE_HOST_RATE = 2890;
/** Below this part of it the host's kernel was held up by others, and a ratio to it says nothing. */
const FULL_SPEED = 0.8;
/** What is promised of the medians: thousand instructions a second, and times as long as the host's kernel. */
const RATE = 1000;
const RATIO = 1;
const WORST_RATIO = 1.6;

/** Prints a line a program, and the medians. Needs the corpus, which is not in the repository: BPF_JITD_CORPUS. */
export function benchVerifier(): void {
  const corpus = process.env['BPF_JITD_CORPUS'] ?? '/work/shared/corpus/selftests';
  if (!existsSync(corpus)) {
    console.log(`verifier: skipped, no corpus at ${corpus}`);
    return;
  }
  const profile = loadProfile(TARGET);
  const host = HostKernel.open(profile);
  const beside = host.ok ? `, beside the host's Linux ${host.value.release}` : '';
  console.log(`verifier: for ${TARGET}${beside}\n${headerText(host.ok)}`);
  const rows = largestPrograms(corpus, PROGRAMS).map(({ object, name, elf }): Row => {
    const ours: Measured<VerificationTime>[] = [];
    const theirs: Measured<VerificationTime>[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      ours.push(verifyHere(elf, name, profile, ROUNDS));
      if (host.ok) theirs.push(host.value.verify(elf, name, ROUNDS));
    }
    const row = { program: `${object}/${name}`, ours: best(ours), host: host.ok ? best(theirs) : null };
    console.log(rowText(row));
    return row;
  });
  if (host.ok) host.value.close();
  printRates(rows);
  if (host.ok) printRatios(rows);
  else console.log(`verifier: ratio to the host's kernel skipped: ${host.reason}`);
}

function printRates(rows: readonly Row[]): void {
  const rates = rows.flatMap(({ ours }) => (ours.ok ? [rate(ours.value)] : []));
  console.log(`verifier: median ${median(rates).toFixed(0)} thousand instructions a second (≥ ${RATE})`);
}

function printRatios(rows: readonly Row[]): void {
  const ratios = rows.flatMap((row) => ratiosOf(row) ?? []);
  const hostRate = median(rows.flatMap(({ host }) => (host?.ok === true ? [rate(host.value)] : [])));
  const heldUp = hostRate < FULL_SPEED * IDLE_HOST_RATE ? ': it was held up, the ratios do not count' : '';
  console.log(
    `verifier: the host's kernel: median ${hostRate.toFixed(0)} thousand instructions a second, ${IDLE_HOST_RATE} where idle${heldUp}`,
  );
  const time = median(ratios.map((ratio) => ratio.time)).toFixed(2);
  const instruction = median(ratios.map((ratio) => ratio.instruction)).toFixed(2);
  const worst = Math.max(...ratios.map((ratio) => ratio.time)).toFixed(2);
  console.log(
    `verifier: median ${time} times the host kernel's time (≤ ${RATIO}), ${instruction} an instruction, at worst ${worst} (≤ ${WORST_RATIO}), ` +
      `${ratios.length} of ${rows.length} programs`,
  );
}
