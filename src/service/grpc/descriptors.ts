/** The schema as FileDescriptorProtos for server reflection, one file a package, with the files each depends on. */
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { schema } from '../contract/schema.js';

interface FieldDescriptor {
  number: number;
  typeName?: string;
}
interface MessageDescriptor {
  name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
}
interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType?: readonly MessageDescriptor[];
  dependency: string[];
}

/**
 * Encoded; what clients build their messages from. protobufjs shortens names beyond what strict clients (protobuf's own
 * C++ and Python) resolve, and leaves dependencies out: both are put right here.
 */
export function fileDescriptors(): Buffer[] {
  const set = schema.toDescriptor('proto3') as unknown as { readonly file: readonly FileDescriptor[] };
  for (const file of set.file) {
    for (const message of file.messageType ?? []) qualify(message, `${file.package}.${message.name}`);
    const text = JSON.stringify(file);
    file.dependency = set.file
      .filter((other) => other !== file && text.includes(`"typeName":".${other.package}.`))
      .map((other) => other.name);
  }
  return set.file.map((file) => Buffer.from(descriptor.FileDescriptorProto.encode(file as never).finish()));
}

/** Full names of all types that fields refer to; map entries, which reflection does not know, as protoc names them. */
function qualify(message: MessageDescriptor, name: string): void {
  const type = schema.lookup(name, [protobuf.Type]) as protobuf.Type | null;
  if (type === null) return;
  for (const field of message.field ?? []) {
    const known = type.fieldsById[field.number];
    if (known instanceof protobuf.MapField) renameEntry(message, field, known);
    else if (known?.resolvedType) field.typeName = known.resolvedType.fullName;
  }
  for (const nested of message.nestedType ?? []) qualify(nested, `${name}.${nested.name}`);
}

/** `map<…> some_name` has the entry type SomeNameEntry. */
function renameEntry(message: MessageDescriptor, field: FieldDescriptor, known: protobuf.MapField): void {
  const entry = message.nestedType?.find((nested) => nested.name === field.typeName);
  if (entry === undefined) return;
  const camel = known.name.charAt(0).toUpperCase() + known.name.slice(1);
  entry.name = field.typeName = `${camel}Entry`;
}
