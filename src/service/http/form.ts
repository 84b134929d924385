/** multipart/form-data, read whole: fields and files in memory, bounded in number and size. */
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.js';

export const FORM_TYPE = 'multipart/form-data';

const LIMITS = { files: 3, fields: 32, parts: 35 } as const;

export interface Form {
  /** In the order they came. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly files: readonly (readonly [name: string, content: Buffer])[];
}

/** Throws ServiceError BODY_TOO_LARGE (a file may have as many bytes as a body) or MALFORMED_BODY. */
export async function readForm(request: FastifyRequest): Promise<Form> {
  const { raw } = request;
  const parser = parserOf(request);
  const fields: [string, string][] = [];
  const files: [string, Buffer[]][] = [];
  return new Promise<Form>((resolve, reject) => {
    const lose = (error: ServiceError): void => {
      raw.unpipe(parser);
      raw.resume(); // the rest is of no interest, but the connection is
      files.length = 0;
      request.hold?.release();
      reject(error);
    };
    const refuse = (error: ServiceError) => (): void => {
      lose(error);
    };
    const damaged = refuse(new ServiceError('MALFORMED_BODY', 'the form is damaged, or not all of it came'));
    const tooMany = refuse(new ServiceError('BODY_TOO_LARGE', 'too many or too large parts'));
    parser.on('file', (name, stream) => {
      const chunks: Buffer[] = [];
      files.push([name, chunks]);
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('limit', refuse(new ServiceError('BODY_TOO_LARGE', 'a part is larger than this service takes')));
      stream.on('error', damaged);
    });
    parser.on('field', (name, value, _nameTruncated, truncated) => {
      if (truncated) tooMany();
      else fields.push([name, value]);
    });
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parser.on(limit, tooMany);
    parser.on('error', damaged);
    parser.on('finish', () => {
      request.hold?.complete();
      resolve({ fields, files: files.map(([name, chunks]) => [name, Buffer.concat(chunks)] as const) });
    });
    raw.on('data', (chunk: Buffer) => {
      try {
        request.hold?.take(chunk.length);
      } catch (error) {
        lose(error as ServiceError);
      }
    });
    raw.on('lost', lose);
    raw.on('error', damaged);
    raw.on('close', () => {
      if (!raw.readableEnded) damaged();
    });
    raw.pipe(parser);
  });
}

/** Throws ServiceError where the media type says no boundary. */
function parserOf({ headers, routeOptions }: FastifyRequest): BusboyInstance {
  try {
    const limits = { ...LIMITS, fileSize: routeOptions.bodyLimit ?? 0 };
    return new Busboy({ headers: { ...headers, 'content-type': headers['content-type'] ?? '' }, limits });
  } catch {
    throw new ServiceError('MALFORMED_BODY', 'the form is damaged, or not all of it came');
  }
}
