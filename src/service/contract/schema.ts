/** The message types of proto/, reflected: everything that encodes, decodes or describes messages starts here. */
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

/** proto/ of the package; src/ and dist/ lie equally deep. */
export const PROTO_DIR = fileURLToPath(new URL('../../../proto/', import.meta.url));

/** In the order in which they are loaded and described. */
export const PROTO_FILES = ['bpfjit/v1/service.proto', 'google/rpc/error_details.proto'] as const;

function loadSchema(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith('google/protobuf/') ? target : PROTO_DIR + target);
  root.loadSync([...PROTO_FILES], { alternateCommentMode: true });
  root.resolveAll();
  return root;
}

export const schema = loadSchema();

/** A message as protobufjs takes and gives it: lowerCamelCase members, absent where unset. */
export type Message = Record<string, unknown>;

export const messageType = (name: string): protobuf.Type => schema.lookupType(name);

export const CompileRequestType = messageType('bpfjit.v1.CompileRequest');
export const CompileResponseType = messageType('bpfjit.v1.CompileResponse');
export const SubmitJobRequestType = messageType('bpfjit.v1.SubmitJobRequest');
export const JobType = messageType('bpfjit.v1.Job');
export const JobItemType = messageType('bpfjit.v1.JobItem');
export const ProgramComparisonType = messageType('bpfjit.v1.ProgramComparison');
export const FailureType = messageType('bpfjit.v1.Failure');

/** Decodes into a plain object that has only what was set (protobufjs' own messages inherit defaults). Throws. */
export function decode(type: protobuf.Type, bytes: Uint8Array): Message {
  return type.toObject(type.decode(bytes)) as Message;
}

/** Encodes into bytes of their own (never a slice of a pooled buffer), so that they may be transferred and kept. */
export function encode(type: protobuf.Type, message: object): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(type.encode(message).finish());
}
