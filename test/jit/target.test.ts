/** What code generation takes from a profile: structure offsets of the kernel's BTF, features of its configuration. */
import tap from 'tap';
import { cpuFeatures, kernelOffsets } from '../../src/compiler/jit/arm64/target.js';
import { loadProfile } from '../../src/service/targets.js';
import { OFFSETS } from './corpus.js';

const profile = loadProfile('linux-6.12-arm64');

tap.test('offsets are those that the recorded code embeds', (t) => {
  t.same(kernelOffsets(profile.btf), OFFSETS);
  t.end();
});

tap.test('features: as the kernel is built, but for what is asked', (t) => {
  t.same(cpuFeatures(profile, {}), { lse: true, bti: false, pac: true });
  t.same(cpuFeatures(profile, { lse: false, bti: true }), { lse: false, bti: true, pac: true });
  t.end();
});
