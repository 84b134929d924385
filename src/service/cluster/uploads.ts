/** Uploaded BTF where all instances find it: whichever takes the upload, any may be asked to compile with it. */
import { PREFIX, type RedisLink } from './link.js';

const TTL_SECONDS = 30 * 86_400;

export class SharedUploads {
  constructor(private readonly link: RedisLink) {}

  async get(key: string): Promise<Buffer | null> {
    return this.link.run((redis) => redis.getBuffer(`${PREFIX}btf:${key}`));
  }

  /** Whether it is there now. */
  async put(key: string, bytes: Buffer): Promise<boolean> {
    return (await this.link.run((redis) => redis.set(`${PREFIX}btf:${key}`, bytes, 'EX', TTL_SECONDS))) === 'OK';
  }
}
