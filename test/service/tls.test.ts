/** TLS and mutual TLS for HTTP and gRPC, and certificates that change while the service runs. */
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import { Authority, hasOpenssl, read, type Pair } from './fixtures/certificates.js';
import { raw, testService } from './fixtures/service.js';

const skip = hasOpenssl ? false : 'openssl is not installed (test/setup)';
const dir = mkdtempSync(join(tmpdir(), 'bpf-jitd-tls-'));
t.teardown(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly server: PeerCertificate;
}

function post(url: string, options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const request = httpsRequest(
      `${url}/compile`,
      { ...options, method: 'POST', headers, agent: false },
      (response) => {
        const server = (response.socket as TLSSocket).getPeerCertificate();
        response.resume().on('end', () => {
          resolve({ status: response.statusCode!, headers: response.headers, server });
        });
      },
    );
    request.on('error', reject);
    request.end(JSON.stringify(raw('p')));
  });
}

function listTargets(address: string, channel: ChannelCredentials): Promise<string> {
  const client = new Client(address, channel, { 'grpc.enable_retries': 0, 'grpc.use_local_subchannel_pool': 1 });
  const identity = (bytes: Buffer): Buffer => bytes;
  const path = '/bpfjit.v1.JitService/ListTargets';
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, identity, identity, Buffer.alloc(0), (error, answer) => {
      resolve(error === null ? `${answer!.length > 0 ? 'targets' : 'nothing'}` : 'refused');
      client.close();
    });
  });
}

/** The common name that a port shows to a new connection. */
function shown(url: string, ca: Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

t.test('TLS, and certificates that change', { skip }, async (t) => {
  const authority = new Authority(dir, 'authority');
  const [first, second] = [authority.issue('first'), authority.issue('second')];
  const used = { cert: join(dir, 'used.pem'), key: join(dir, 'used.key') };
  const use = (pair: Pair): void => {
    for (const part of ['key', 'cert'] as const) {
      copyFileSync(pair[part], `${used[part]}.next`);
      renameSync(`${used[part]}.next`, used[part]);
    }
  };
  use(first);
  const service = await testService(t, { BPF_JITD_TLS_CERT: used.cert, BPF_JITD_TLS_KEY: used.key }, true);
  t.match(service.url, /^https:/);
  const ca = read(authority.cert);
  const answer = await post(service.url, { ca });
  t.equal(answer.status, 200);
  t.equal(answer.server.subject.CN, 'first');
  t.equal(answer.headers['strict-transport-security'], 'max-age=31536000');
  t.equal((await post(service.url, { ca })).headers['strict-transport-security'], 'max-age=31536000', 'hits, too');
  await t.rejects(post(service.url, { ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }), 'TLS before 1.2 is refused');
  await t.rejects(post(service.url, {}), 'an authority that the client does not know');
  t.equal((await post(service.url, { ca, maxVersion: 'TLSv1.2' })).status, 200);
  t.equal(await listTargets(service.grpcAddress, credentials.createSsl(ca)), 'targets');
  t.equal(await listTargets(service.grpcAddress, credentials.createInsecure()), 'refused');
  await t.rejects(fetch(service.url.replace('https:', 'http:')), 'no plain HTTP');

  writeFileSync(used.key, 'no key');
  for (let i = 0; i < 80 && !service.logged.some((line) => line.includes('the old one stays in use')); i++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  t.ok(service.logged.some((line) => line.includes('the old one stays in use')));
  t.equal((await post(service.url, { ca })).server.subject.CN, 'first');
  use(second);
  for (let i = 0; i < 80 && (await shown(service.url, ca)) !== 'second'; i++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  t.equal(await shown(service.url, ca), 'second');
  t.equal(await shown(`https://${service.grpcAddress}`, ca), 'second', 'gRPC, too');
  t.equal(await listTargets(service.grpcAddress, credentials.createSsl(ca)), 'targets');
});

t.test('mutual TLS', { skip }, async (t) => {
  const [servers, clients] = [new Authority(dir, 'servers'), new Authority(dir, 'clients')];
  const [server, client, stranger] = [servers.issue('server'), clients.issue('client'), servers.issue('stranger')];
  const service = await testService(
    t,
    { BPF_JITD_TLS_CERT: server.cert, BPF_JITD_TLS_KEY: server.key, BPF_JITD_TLS_CLIENT_CA: clients.cert },
    true,
  );
  const ca = read(servers.cert);
  const options = ({ cert, key }: Pair): RequestOptions => ({ ca, cert: read(cert), key: read(key) });
  const channel = ({ cert, key }: Pair): ChannelCredentials => credentials.createSsl(ca, read(key), read(cert));
  t.equal((await post(service.url, options(client))).status, 200);
  await t.rejects(post(service.url, { ca }), 'no certificate');
  await t.rejects(post(service.url, options(stranger)), 'a certificate of another authority');
  t.equal(await listTargets(service.grpcAddress, channel(client)), 'targets');
  t.equal(await listTargets(service.grpcAddress, credentials.createSsl(ca)), 'refused');
  t.equal(await listTargets(service.grpcAddress, channel(stranger)), 'refused');
});
