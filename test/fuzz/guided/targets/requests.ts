/** Requests as they come over the wire: the first byte chooses message and encoding, the rest is the body. */
import { checkRequest, messageFromJson, messageFromProtobuf } from '../../../../src/service/contract/request.js';
import { CompileRequestType, encode, messageType, SubmitJobRequestType } from '../../../../src/service/contract/schema.js';
import { ServiceError } from '../../../../src/service/errors.js';
import { bounded } from '../cost.js';

const TYPES = [CompileRequestType, SubmitJobRequestType, messageType('bpfjit.v1.BatchRequest')];

export function fuzz(data: Buffer): void {
  const choice = data[0] ?? 0;
  const type = TYPES[choice % TYPES.length]!;
  const read = (choice & 0x80) === 0 ? messageFromJson : messageFromProtobuf;
  bounded(() => {
    try {
      const message = read(type, data.subarray(1));
      if (type === CompileRequestType) encode(type, checkRequest(message));
      else encode(type, message);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
    return 0;
  });
}
