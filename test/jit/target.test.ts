/** Structure offsets that code embeds, against the kernel's BTF. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import tap from 'tap';
import { readBtf } from '../../src/compiler/btf/read.js';
import { kernelOffsets } from '../../src/compiler/jit/arm64/target.js';
import { OFFSETS } from './corpus.js';

const BTF = join(import.meta.dirname, '../../../shared/target/linux-6.12-arm64/vmlinux.btf.gz');

tap.test('offsets in the kernel of the recordings', { skip: !existsSync(BTF) }, (t) => {
  const btf = readBtf(new Uint8Array(gunzipSync(readFileSync(BTF))), null, 'vmlinux');
  t.ok(btf.ok);
  if (btf.ok) t.same(kernelOffsets(btf.value), OFFSETS);
  t.end();
});
