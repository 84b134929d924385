/** Compressed BTF, in each of its codings. */
import { unwrapBtf } from '../../../../src/service/btf-unwrap.js';
import { ServiceError } from '../../../../src/service/errors.js';
import { boundedAsync } from '../cost.js';

export async function fuzz(data: Buffer): Promise<void> {
  await boundedAsync(async () => {
    try {
      await unwrapBtf(data);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  });
}
