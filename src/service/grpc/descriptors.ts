/** The schema as FileDescriptorProtos for server reflection, one file a package, with the files each depends on. */
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { schema } from '../contract/schema.js';

interface FieldDescriptor {
  number: number;
  typeName?: string;
  oneofIndex?: number;
  readonly proto3Optional?: boolean;
}
interface MessageDescriptor {
  name: string;
  readonly field?: readonly FieldDescriptor[];
  readonly nestedType?: readonly MessageDescriptor[];
  oneofDecl?: readonly object[];
}
interface FileDescriptor {
  readonly name: string;
  readonly package: string;
  readonly messageType?: readonly MessageDescriptor[];
  dependency: string[];
}

/**
 * Encoded; what clients build their messages from. protobufjs shortens names beyond what strict clients (protobuf's own
 * C++ and Python) resolve, leaves dependencies out, and mixes oneofs with those that stand for optional members: all is put right
 * here.
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
  orderOneofs(message);
  for (const field of message.field ?? []) {
    const known = type.fieldsById[field.number];
    if (known instanceof protobuf.MapField) renameEntry(message, field, known);
    else if (known?.resolvedType) field.typeName = known.resolvedType.fullName;
  }
  for (const nested of message.nestedType ?? []) qualify(nested, `${name}.${nested.name}`);
}

/** Oneofs that stand for optional members come behind all others (descriptor.proto: "synthetic oneofs"). */
function orderOneofs(message: MessageDescriptor): void {
  const declared = message.oneofDecl ?? [];
  const fields = message.field ?? [];
  const isSynthetic = (index: number): boolean =>
    fields.some(({ oneofIndex, proto3Optional }) => proto3Optional === true && oneofIndex === index);
  const order = declared
    .map((_, index) => index)
    .sort((a, b) => Number(isSynthetic(a)) - Number(isSynthetic(b)) || a - b);
  message.oneofDecl = order.map((index) => declared[index]!);
  const places = new Map(order.map((index, place) => [index, place]));
  for (const field of fields) {
    // What is set is its own: messages inherit an index of 0.
    if (Object.hasOwn(field, 'oneofIndex')) field.oneofIndex = places.get(field.oneofIndex!)!;
  }
}

/** `map<…> some_name` has the entry type SomeNameEntry. */
function renameEntry(message: MessageDescriptor, field: FieldDescriptor, known: protobuf.MapField): void {
  const entry = message.nestedType?.find((nested) => nested.name === field.typeName);
  if (entry === undefined) return;
  const camel = known.name.charAt(0).toUpperCase() + known.name.slice(1);
  entry.name = field.typeName = `${camel}Entry`;
}
