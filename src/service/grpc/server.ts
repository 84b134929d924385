/** The gRPC transport. Messages stay bytes where they can: a cached answer goes out as it lies in the cache. */
import { once } from 'node:events';
import {
  Server,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { HealthImplementation, protoPath as healthProto } from 'grpc-health-check';
import { trustedProxies, type IsTrusted } from '../auth/address.js';
import type { KeyHolder } from '../auth/holder.js';
import type { Keyring } from '../auth/keyring.js';
import type { Config } from '../config.js';
import type { Asking, Compiled, CompileService } from '../compile-service.js';
import type { CompileRequestMessage } from '../contract/messages.js';
import { messageFromProtobuf, requestFromProtobuf } from '../contract/request.js';
import { messageType, schema, type Message } from '../contract/schema.js';
import { limitsMessage } from '../limits.js';
import { asServiceError, ServiceError } from '../errors.js';
import { KnownRequests } from '../known-requests.js';
import { objectProblem } from '../http/compile-route.js';
import type { JobService } from '../jobs/job-service.js';
import type { Trace, Tracing } from '../telemetry/trace.js';
import { fileDescriptors } from './descriptors.js';
import { authentication, METHOD_SCOPES } from './auth.js';
import { askingOf, Cancellation, holderOf, identityOf, type ServerCall } from './call.js';
import { CallObserver, type Reply } from './observer.js';
import { patience } from './patience.js';
import { grpcError, statusMessage } from './status.js';

const SERVICE = 'bpfjit.v1.JitService';
/** Requests of one batch stream that are worked on at a time; more are not read until one is done. */
const BATCH_WINDOW = 64;

/** Calls of one connection at a time; more wait with the client. */
const STREAMS = 256;
/** A connection without calls is closed after that. */
const CONNECTION_IDLE_MS = 300_000;

type Call = ServerUnaryCall<Buffer, Buffer>;
type Done = sendUnaryData<Buffer>;

/** Every method with requests and answers as bytes. */
function definition(): ServiceDefinition {
  const methods = schema.lookupService(SERVICE).methodsArray.map((method) => [
    method.name,
    {
      path: `/${SERVICE}/${method.name}`,
      requestStream: method.requestStream === true,
      responseStream: method.responseStream === true,
      requestSerialize: (bytes: Buffer) => bytes,
      requestDeserialize: (bytes: Buffer) => bytes,
      responseSerialize: (bytes: Buffer) => bytes,
      responseDeserialize: (bytes: Buffer) => bytes,
    },
  ]);
  return Object.fromEntries(methods) as ServiceDefinition;
}

export interface GrpcTransport {
  readonly server: Server;
  /** Tells health checks whether this instance takes work. */
  setServing(serving: boolean): void;
}

export function buildGrpc(
  service: CompileService,
  jobs: JobService,
  config: Config,
  keyring: Keyring | null,
  tracing: Tracing | null,
): GrpcTransport {
  const observer = new CallObserver(SERVICE, service.metrics, tracing);
  const isTrusted = trustedProxies(config.trustedProxies);
  const server = new Server({
    'grpc.max_receive_message_length': config.bodyLimit,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.max_connection_idle_ms': CONNECTION_IDLE_MS,
    'grpc.max_concurrent_streams': STREAMS,
    'grpc.enable_channelz': 0,
    interceptors: [
      patience(SERVICE, config.receiveTimeout, config.timeout),
      ...(keyring === null ? [] : [authentication(SERVICE, keyring, isTrusted)]),
    ],
  });
  server.addService(definition(), new Handlers(service, jobs, isTrusted, observer, config).methods());
  const health = new HealthImplementation({ '': 'SERVING', [SERVICE]: 'SERVING' });
  health.addToServer(server);
  const options = { keepCase: true, longs: String };
  const own = { fileDescriptorProtos: fileDescriptors() } as unknown as PackageDefinition[string];
  const described: PackageDefinition = { [SERVICE]: own, ...loadSync(healthProto, options) };
  new ReflectionService(described).addToServer(server);
  return {
    server,
    setServing: (serving) => {
      for (const name of ['', SERVICE]) health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
}

class Handlers {
  /** Keys of answers. */
  private readonly known: KnownRequests<string>;

  constructor(
    private readonly service: CompileService,
    private readonly jobs: JobService,
    private readonly isTrusted: IsTrusted,
    private readonly observer: CallObserver,
    private readonly config: Config,
  ) {
    this.known = new KnownRequests(config.memoryCache / 4);
  }

  methods(): UntypedServiceImplementation {
    return {
      Compile: this.unary('Compile', (bytes, asking) => this.compile(bytes, asking)),
      GetCompilation: this.unary('GetCompilation', async (bytes, { identity, trace }) => {
        const { digest } = decode('GetCompilationRequest', bytes) as { digest?: string };
        return answerOf(await this.service.lookup(digest ?? '', identity, trace));
      }),
      ListTargets: this.unary('ListTargets', () =>
        Promise.resolve({
          bytes: encode('ListTargetsResponse', {
            targets: this.service.catalog.messages,
            limits: limitsMessage(this.config),
          }),
        }),
      ),
      CompileBatch: (call: ServerDuplexStream<Buffer, Buffer>) => {
        this.batch(call);
      },
      SubmitJob: this.unary('SubmitJob', async (bytes, { identity, trace }) => ({
        bytes: encode('Job', await this.jobs.submit(decode('SubmitJobRequest', bytes), identity, trace)),
      })),
      GetJob: this.unary('GetJob', async (bytes, { identity }) => ({
        bytes: encode('Job', await this.jobs.get(idOf('GetJobRequest', bytes), identity)),
      })),
      CancelJob: this.unary('CancelJob', async (bytes, { identity }) => ({
        bytes: encode('Job', await this.jobs.cancel(idOf('CancelJobRequest', bytes), identity)),
      })),
      WatchJob: (call: ServerWritableStream<Buffer, Buffer>) => {
        void this.watch(call);
      },
      UploadBtf: (call: ServerReadableStream<Buffer, Buffer>, done: Done) => {
        this.settle('UploadBtf', call, () => this.upload(call), done);
      },
    };
  }

  private unary(name: string, work: (bytes: Buffer, asking: Asking) => Promise<Reply>) {
    return (call: Call, done: Done): void => {
      const gone = new Cancellation(call);
      this.settle(name, call, (trace) => work(call.request, askingOf(call, gone, this.isTrusted, trace)), done);
    };
  }

  private settle(method: string, call: ServerCall, work: (trace: Trace | null) => Promise<Reply>, done: Done): void {
    this.observer.run(method, call, work).then(
      ({ bytes, trailer }) => {
        done(null, bytes, trailer);
      },
      (error: unknown) => {
        done(grpcError(error));
      },
    );
  }

  private async compile(bytes: Buffer, asking: Asking): Promise<Reply> {
    const body = KnownRequests.nameOf(asking.identity.tenant, '', bytes);
    const key = this.known.get(body);
    const hit = key === undefined ? null : this.service.remembered(key);
    if (hit !== null && !hit.answer.failed) return answerOf(hit);
    const compiled = await this.service.compile(requestFromProtobuf(bytes), asking);
    this.known.set(body, compiled.key);
    return answerOf(compiled);
  }

  /** Answers come as they are ready; the stream is not read on while a window of requests is being worked on. */
  private batch(call: ServerDuplexStream<Buffer, Buffer>): void {
    const gone = new Cancellation(call);
    const holder = holderOf(call);
    const window = Math.min(BATCH_WINDOW, holder?.concurrency ?? Infinity);
    let running = 0;
    let ended = false;
    call.on('data', (bytes: Buffer) => {
      if (++running >= window) call.pause();
      void this.batchItem(call, bytes, gone, holder).then((answer) => {
        if (!gone.signal.aborted) call.write(answer);
        if (--running < window) call.resume();
        if (ended && running === 0) call.end();
      });
    });
    call.on('end', () => {
      ended = true;
      if (running === 0) call.end();
    });
    call.on('error', () => {
      gone.cancel('the stream broke');
    });
  }

  private async batchItem(
    call: ServerCall,
    bytes: Buffer,
    gone: Cancellation,
    holder: KeyHolder | null,
  ): Promise<Buffer> {
    let id = '';
    const work = async (trace: Trace | null): Promise<Reply> => {
      const item = decode('BatchRequest', bytes) as { id?: string; request?: CompileRequestMessage };
      id = item.id ?? '';
      holder?.enter(METHOD_SCOPES['CompileBatch']!);
      const asking = askingOf(call, gone, this.isTrusted, trace);
      return answerOf(await this.service.compile(item.request ?? {}, asking).finally(() => holder?.leave()));
    };
    try {
      const answer = await this.observer.run('CompileBatch', call, work);
      return batchAnswer(id, answer.bytes);
    } catch (error) {
      return encode('BatchResponse', { id, error: statusMessage(asServiceError(error)) });
    }
  }

  private async watch(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    const gone = new Cancellation(call);
    const work = async (trace: Trace | null): Promise<Reply> => {
      const { id = '', lastEventId = '' } = decode('WatchJobRequest', call.request) as Record<string, string>;
      const { identity, signal } = askingOf(call, gone, this.isTrusted, trace);
      for await (const event of await this.jobs.watch(id, lastEventId, identity, signal)) {
        if (!call.write(encode('JobEvent', event as unknown as Message))) await once(call, 'drain', { signal });
      }
      return { bytes: Buffer.alloc(0) };
    };
    try {
      await this.observer.run('WatchJob', call, work);
      call.end();
    } catch (error) {
      if (!gone.signal.aborted) call.emit('error', grpcError(error));
    }
  }

  private async upload(call: ServerReadableStream<Buffer, Buffer>): Promise<Reply> {
    const chunks: Uint8Array[] = [];
    let digest = '';
    let first = true;
    let size = 0;
    for await (const bytes of call as AsyncIterable<Buffer>) {
      const part = decode('UploadBtfRequest', bytes) as { digest?: string; chunk?: Uint8Array };
      if (first) digest = part.digest ?? '';
      first = false;
      size += part.chunk?.length ?? 0;
      if (size > this.service.btf.maxBytes)
        throw new ServiceError('BODY_TOO_LARGE', 'the BTF is larger than the store');
      if (part.chunk !== undefined) chunks.push(part.chunk);
    }
    const stored = await this.service.btf.put(Buffer.concat(chunks), digest, identityOf(call, this.isTrusted).tenant);
    this.service.metrics.btfUploads.inc();
    return { bytes: encode('UploadBtfResponse', { digest: stored, size }) };
  }
}

/** An object that cannot be loaded as a whole is refused. */
function answerOf({ answer, timings }: Pick<Compiled, 'answer' | 'timings'>): Reply {
  if (answer.failed) throw objectProblem(answer);
  return { bytes: answer.protobuf, timings };
}

/** A BatchResponse around an answer that is encoded already: fields 1 and 2, length-delimited. */
function batchAnswer(id: string, response: Buffer): Buffer {
  const head = encode('BatchResponse', { id });
  const tag = [0x12];
  let length = response.length;
  for (; length > 0x7f; length >>>= 7) tag.push((length & 0x7f) | 0x80);
  tag.push(length);
  return Buffer.concat([head, Buffer.from(tag), response]);
}

function idOf(name: string, bytes: Buffer): string {
  return (decode(name, bytes) as { id?: string }).id ?? '';
}

function decode(name: string, bytes: Buffer): Message {
  return messageFromProtobuf(messageType(`bpfjit.v1.${name}`), bytes);
}

function encode(name: string, message: Message): Buffer {
  return Buffer.from(messageType(`bpfjit.v1.${name}`).encode(message).finish());
}
