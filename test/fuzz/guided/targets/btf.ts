/** BTF by itself: a kernel's, a module's over a kernel's, an ELF file that holds it. */
import { checkKernelBtf, isSplitBtf, openKernelBtf, readKernelBtf, readModule } from '../../../../src/compiler/kernel-btf.js';
import { loadProfile } from '../../../../src/service/targets.js';
import { bounded } from '../cost.js';

const { btf } = loadProfile();

export function fuzz(data: Buffer): void {
  const bytes = Uint8Array.from(data);
  bounded(() => {
    const read = readKernelBtf(bytes);
    if (read.ok) checkKernelBtf(openKernelBtf(read.value), btf.byteOrder);
    isSplitBtf(bytes);
    readModule(bytes, btf, 'fuzzed');
    return 0;
  });
}
