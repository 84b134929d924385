/**
 * Tells a client's server that a job is finished: a POST, signed as https://www.standardwebhooks.com says. Where it goes is
 * for the operator to allow, not for clients to choose: hosts of a list, at public addresses unless others are allowed too,
 * no redirect is followed, and neither the time nor the bytes of an answer are the server's to decide.
 */
import { createHmac } from 'node:crypto';
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, isIPv6, type LookupFunction } from 'node:net';
import { writeJson } from '../contract/json-write.js';
import { JobType } from '../contract/schema.js';
import { ServiceError } from '../errors.js';
import { jobMessage, type JobRecord } from './job.js';

export interface WebhookPolicy {
  /** Names, and `*.name` for all below one. */
  readonly hosts: readonly string[];
  /** `whsec_` and base64; the first signs first, others while receivers change over. */
  readonly secrets: readonly string[];
  readonly allowPrivate: boolean;
}

/** Milliseconds that one delivery may take, and bytes of an answer that are read. */
const TIMEOUT = 10_000;
const MAX_ANSWER = 64 * 1024;
const MAX_URL = 2048;

/** A delivery that is of no use to try again. */
export class Undeliverable extends Error {}

/** Throws ServiceError INVALID_FIELD where a client's URL may not be called. */
export function checkCallback(text: string, policy: WebhookPolicy): void {
  const refuse = (what: string): ServiceError =>
    new ServiceError('INVALID_FIELD', `callbackUrl: ${what}`, { field: 'callbackUrl' });
  if (policy.hosts.length === 0) throw refuse('this service calls nobody (BPF_JITD_WEBHOOK_HOSTS)');
  const url = text.length <= MAX_URL && URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) throw refuse('is no http or https URL');
  if (url.username !== '' || url.password !== '') throw refuse('holds a user or a password');
  if (!policy.hosts.some((host) => covers(host, url.hostname))) throw refuse('its host is not allowed here');
  const address = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !policy.allowPrivate && isPrivate(address)) throw refuse('its address is not public');
}

/** Resolves when the receiver has taken it. Rejects otherwise, with Undeliverable where that is final. */
export async function deliver(job: JobRecord, policy: WebhookPolicy): Promise<void> {
  try {
    checkCallback(job.callbackUrl, policy); // what is allowed may have changed meanwhile
  } catch (error) {
    throw new Undeliverable((error as Error).message);
  }
  const at = new Date();
  const data = writeJson(JobType, jobMessage(job));
  const body = JSON.stringify({ type: 'job.finished', timestamp: at.toISOString(), data });
  const status = await post(
    new URL(job.callbackUrl),
    body,
    {
      ...sign(`job_${job.id}`, Math.floor(at.getTime() / 1000), body, policy.secrets),
      'content-type': 'application/json',
      'user-agent': 'bpf-jitd',
    },
    policy.allowPrivate,
  );
  if (status === 410) throw new Undeliverable('the receiver wants no more (410)');
  if (status < 200 || status > 299) throw new Error(`the receiver answered ${status}`);
}

/** The headers of a delivery: the same id for each try, so that a receiver knows one that it has had. */
export function sign(id: string, seconds: number, body: string, secrets: readonly string[]): Record<string, string> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
  });
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signatures.join(' ') };
}

function covers(allowed: string, host: string): boolean {
  return allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed;
}

/** The status; the connection is this delivery's own, and goes to an address that was checked. */
function post(url: URL, body: string, headers: Record<string, string>, allowPrivate: boolean): Promise<number> {
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    agent: false,
    ...(!allowPrivate && { lookup: publicLookup }),
    signal: AbortSignal.timeout(TIMEOUT),
  };
  return new Promise((done, fail) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, options, (response: IncomingMessage) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER) response.destroy();
      });
      response.once('close', () => {
        done(response.statusCode ?? 0);
      });
    });
    request.once('error', fail);
    request.end(body);
  });
}

/** Fails where any of a name's addresses is not public: what is checked is what is connected to. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error: Error | null, addresses: LookupAddress[]) => {
    const hidden = addresses?.find(({ address }) => isPrivate(address));
    const fault = error ?? (hidden === undefined ? null : new Error(`${hostname} has an address that is not public`));
    if (fault !== null) callback(fault, '', 0);
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};

/** IANA's special-purpose registries: what is not reached over the Internet, or is this machine or its network. */
const PRIVATE = new BlockList();
for (const network of [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...[
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/3',
  ],
]) {
  const [address, bits] = network.split('/');
  PRIVATE.addSubnet(address!, Number(bits), 'ipv4');
}
/** Of IPv6 only what is handed out for the Internet counts as public, without the ways in which IPv4 is wrapped. */
const PUBLIC6 = new BlockList();
PUBLIC6.addSubnet('2000::', 3, 'ipv6');
const WRAPPED = new BlockList();
for (const [address, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  WRAPPED.addSubnet(address, bits, 'ipv6');
}

export function isPrivate(address: string): boolean {
  if (!isIPv6(address)) return PRIVATE.check(address, 'ipv4');
  return !PUBLIC6.check(address, 'ipv6') || WRAPPED.check(address, 'ipv6');
}
