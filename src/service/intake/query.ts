/** What may stand in the query beside an object, or in a form's fields, as a CompileRequest without its files. */
import { capabilitiesFromNames } from '../contract/capabilities.js';
import { cpuFromText, factOf, UNNAMED_CPU_FEATURES } from '../contract/cpu.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import { messageFromValue } from '../contract/request.js';
import { CompileRequestType } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import type { Query } from './source.js';

/** By name, as members of the request. */
const QUERY: Readonly<Record<string, (text: string) => Record<string, unknown>>> = {
  kernel: (kernel) => ({ target: { kernel } }),
  btfDigest: (btfDigest) => ({ target: { btfDigest } }),
  cpu: (text) => ({ target: { cpu: cpuFromText(text) } }),
  ...Object.fromEntries(
    UNNAMED_CPU_FEATURES.map((name) => [name, (text) => ({ target: { cpu: { [name]: factOf(text) } } })]),
  ),
  logLevel: (logLevel) => ({ options: { logLevel } }),
  legacyMaps: (text) => ({ options: { legacyMaps: factOf(text) } }),
  capabilities: (text) => ({ options: { capabilities: capabilitiesFromNames(text) } }),
  attachProgram: (name) => ({ attachProgram: { name } }),
  attachFunction: (fn) => ({ attachProgram: { function: fn } }),
};

/** Throws ServiceError INVALID_FIELD. */
export function fromQuery(query: Query): CompileRequestMessage {
  let json: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    if (name === 'programs') {
      json['programs'] = [value]
        .flat()
        .flatMap((list) => list.split(','))
        .filter((program) => program !== '');
      continue;
    }
    if (name === 'target') {
      json['targets'] = [value].flat().map((kernel) => ({ kernel }));
      continue;
    }
    const read = Object.hasOwn(QUERY, name) ? QUERY[name] : undefined;
    const place = `query.${name.slice(0, 60)}`;
    if (read === undefined) throw new ServiceError('INVALID_FIELD', `${place}: unknown parameter`, { field: place });
    if (typeof value !== 'string')
      throw new ServiceError('INVALID_FIELD', `${place}: is given twice`, { field: place });
    json = merge(json, read(value));
  }
  return messageFromValue(CompileRequestType, json);
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>): Record<string, unknown> {
  const out = { ...into };
  for (const [key, value] of Object.entries(from)) {
    const old = out[key];
    out[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return out;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
