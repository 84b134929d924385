/** ELF objects, the whole way: sections, BTF, .BTF.ext, CO-RE, maps, and whatever programs come out of them. */
import { compile } from '../../../../src/compiler/compile.js';
import { toCompiler } from '../../../../src/service/contract/to-compiler.js';
import { loadProfile } from '../../../../src/service/targets.js';
import { bounded } from '../cost.js';

const profile = loadProfile();

export function fuzz(data: Buffer): void {
  const object = Uint8Array.from(data);
  bounded(() => {
    const { programs } = compile(toCompiler({ object, options: { logLevel: 1 } }), profile);
    return programs.reduce((sum, { stats }) => sum + (stats?.processedInstructions ?? 0), 0);
  });
}
