/** A Fastify route that does nothing but send the bytes of a file: what the service's cache hits are held against. */
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';

const answer = readFileSync(process.argv[2]!);
const app = Fastify();
app.post('/compile', (_request, reply) => reply.header('content-type', 'application/json').send(answer));
const url = await app.listen({ port: 0, host: '127.0.0.1' });
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
console.log(JSON.stringify({ url }));
