/** JSON Schemas (2020-12) of the messages of proto/, as the canonical JSON mapping writes them. */
import protobuf from 'protobufjs';
import { schema } from './schema.js';

export type Json = Record<string, unknown>;

/** Name → schema of every message and enum of the package, nested ones as Outer.Inner. */
export function messageSchemas(): Json {
  const out: Json = {};
  collect(schema.lookup('bpfjit.v1') as protobuf.Namespace, '', out);
  return out;
}

function collect(namespace: protobuf.NamespaceBase, prefix: string, out: Json): void {
  for (const item of namespace.nestedArray) {
    const name = prefix + item.name;
    if (item instanceof protobuf.Type) {
      out[name] = messageSchema(item);
      collect(item, `${name}.`, out);
    } else if (item instanceof protobuf.Enum) out[name] = enumSchema(item);
  }
}

function messageSchema(type: protobuf.Type): Json {
  const properties: Json = {};
  for (const field of type.fieldsArray) properties[field.resolve().name] = describe(fieldSchema(field), field.comment);
  return describe({ type: 'object', properties, additionalProperties: false }, type.comment);
}

function describe(json: Json, comment: string | null): Json {
  return comment === null || comment === '' ? json : { ...json, description: comment.replaceAll('\n', ' ') };
}

function fieldSchema(field: protobuf.Field): Json {
  if (field instanceof protobuf.MapField) return { type: 'object', additionalProperties: single(field) };
  return field.repeated ? { type: 'array', items: single(field) } : single(field);
}

function single(field: protobuf.Field): Json {
  const resolved = field.resolvedType;
  if (resolved !== null) return { $ref: `#/components/schemas/${schemaName(resolved)}` };
  switch (field.type) {
    case 'bytes':
      return { type: 'string', contentEncoding: 'base64' };
    case 'bool':
      return { type: 'boolean' };
    case 'uint32':
      return { type: 'integer', minimum: 0, maximum: 0xffffffff };
    case 'int32':
      return { type: 'integer', minimum: -0x80000000, maximum: 0x7fffffff };
    case 'uint64':
      return { type: 'string', pattern: '^[0-9]{1,20}$' };
    case 'int64':
      return { type: 'string', pattern: '^-?[0-9]{1,19}$' };
    default:
      return { type: 'string' };
  }
}

function schemaName(type: protobuf.ReflectionObject): string {
  return type.fullName.replace(/^\.(?:bpfjit\.v1\.)?/, '');
}

/** Names or numbers: a number that has no name is passed on. */
function enumSchema(type: protobuf.Enum): Json {
  const names = Object.keys(type.values);
  return describe({ anyOf: [{ type: 'string', enum: names }, { type: 'integer' }] }, type.comment);
}
