/** What encodings ask of a message's fields, asked once a type: protobufjs finds some of it by walking its tree each time. */
import protobuf from 'protobufjs';

export interface Member {
  readonly field: protobuf.Field;
  readonly name: string;
  /** Kept also where it has its default value. */
  readonly hasPresence: boolean;
  readonly isMap: boolean;
  readonly isRepeated: boolean;
  /** Of a message or enum, of which there may be many or a map; null for other types. */
  readonly message: protobuf.Type | null;
  readonly enumeration: protobuf.Enum | null;
}

const MEMBERS = new WeakMap<protobuf.Type, readonly Member[]>();

/** In the order of their numbers. */
export function membersOf(type: protobuf.Type): readonly Member[] {
  let members = MEMBERS.get(type);
  if (members === undefined) {
    members = type.fieldsArray.map(memberOf).sort((a, b) => a.field.id - b.field.id);
    MEMBERS.set(type, members);
  }
  return members;
}

function memberOf(field: protobuf.Field): Member {
  const { resolvedType } = field.resolve();
  return {
    field,
    name: field.name,
    hasPresence: Boolean(field.hasPresence),
    isMap: field instanceof protobuf.MapField,
    isRepeated: field.repeated,
    message: resolvedType instanceof protobuf.Type ? resolvedType : null,
    enumeration: resolvedType instanceof protobuf.Enum ? resolvedType : null,
  };
}
