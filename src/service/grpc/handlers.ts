/** What each method does. Messages stay bytes where they can: a cached answer goes out as it lies in the cache. */
import { once } from 'node:events';
import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { IsTrusted } from '../auth/address.js';
import type { KeyHolder } from '../auth/holder.js';
import type { Asking, Compiled } from '../compile-service.js';
import { messageFromProtobuf } from '../contract/request.js';
import { messageType, type Message } from '../contract/schema.js';
import { asServiceError, fromWire, ServiceError } from '../errors.js';
import { objectProblem } from '../http/compile-route.js';
import type { EncodedMessage, RequestSource } from '../intake/source.js';
import { KnownRequests } from '../known-requests.js';
import { limitsMessage } from '../limits.js';
import type { Trace } from '../telemetry/trace.js';
import { METHOD_SCOPES } from './auth.js';
import { runBatch, type BatchAnswer } from './batch.js';
import { askingOf, Cancellation, clientOf, holderOf, type ServerCall } from './call.js';
import { Gather } from './gather.js';
import type { CallObserver, Reply } from './observer.js';
import type { GrpcParts } from './serve.js';
import { grpcError, statusMessage } from './status.js';
import { UnsentAnswers } from './unsent.js';

type Call = ServerUnaryCall<Buffer, Buffer>;
type Done = sendUnaryData<Buffer>;

export class Handlers {
  /** Keys of answers. */
  private readonly known: KnownRequests<string>;
  private readonly unsent = new UnsentAnswers();

  constructor(
    private readonly parts: GrpcParts,
    private readonly isTrusted: IsTrusted,
    private readonly observer: CallObserver,
  ) {
    this.known = new KnownRequests(parts.config.memoryCache / 4);
  }

  methods(): UntypedServiceImplementation {
    const { service, jobs, config } = this.parts;
    return {
      Compile: this.unary('Compile', (bytes, asking) => this.compile(bytes, asking)),
      GetCompilation: this.unary('GetCompilation', async (bytes, { identity, trace }) => {
        const { digest } = decode('GetCompilationRequest', bytes) as { digest?: string };
        return answerOf(await service.lookup(digest ?? '', identity, trace));
      }),
      ListTargets: this.unary('ListTargets', () => {
        const message = { targets: service.catalog.messages, limits: limitsMessage(config) };
        return Promise.resolve({ bytes: encode('ListTargetsResponse', message) });
      }),
      CompileBatch: (call: ServerDuplexStream<Buffer, Buffer>) => {
        this.batch(call);
      },
      SubmitJob: this.unary('SubmitJob', async (bytes, asking) => {
        const read = await jobs.read(this.source('SubmitJobRequest', bytes), asking);
        return { bytes: encode('Job', await jobs.submit(read, asking.identity, asking.trace)) };
      }),
      GetJob: this.unary('GetJob', async (bytes, { identity }) => ({
        bytes: encode('Job', await jobs.get(idOf('GetJobRequest', bytes), identity)),
      })),
      CancelJob: this.unary('CancelJob', async (bytes, { identity }) => ({
        bytes: encode('Job', await jobs.cancel(idOf('CancelJobRequest', bytes), identity)),
      })),
      WatchJob: (call: ServerWritableStream<Buffer, Buffer>) => {
        void this.watch(call);
      },
      UploadBtf: (call: ServerReadableStream<Buffer, Buffer>, done: Done) => {
        const gone = new Cancellation(call);
        const work = (trace: Trace | null): Promise<Reply> =>
          this.upload(call, askingOf(call, gone, this.isTrusted, trace));
        this.settle('UploadBtf', call, work, done);
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

  private source(message: EncodedMessage, bytes: Buffer): RequestSource {
    return { kind: 'protobuf', message, body: { bytes, coding: null, limit: bytes.length } };
  }

  private async compile(bytes: Buffer, asking: Asking): Promise<Reply> {
    const { service } = this.parts;
    const name = await KnownRequests.nameOf(asking.identity.tenant, '', bytes);
    const key = this.known.get(name);
    const hit = key === undefined ? null : service.remembered(key);
    if (hit !== null && !hit.answer.failed) return answerOf(hit);
    const compiled = await service.ask(this.source('CompileRequest', bytes), asking);
    this.known.set(name, compiled.key);
    return answerOf(compiled);
  }

  private batch(call: ServerDuplexStream<Buffer, Buffer>): void {
    const gone = new Cancellation(call);
    const holder = holderOf(call);
    runBatch({
      call,
      gone,
      concurrency: holder?.concurrency ?? Infinity,
      unsent: this.unsent.of(call.getPeer()),
      answer: (bytes) => this.batchItem(call, bytes, gone, holder),
      dropped: ({ id }) => refusedItem(id, new ServiceError('OVERLOADED', 'answers of this connection are not read')),
    });
  }

  private async batchItem(
    call: ServerCall,
    bytes: Buffer,
    gone: Cancellation,
    holder: KeyHolder | null,
  ): Promise<BatchAnswer> {
    let id = '';
    const { service, bodies } = this.parts;
    const hold = bodies.open(clientOf(call.getPeer(), call.metadata, this.isTrusted), () => undefined);
    hold.complete();
    const work = async (trace: Trace | null): Promise<Reply> => {
      hold.take(bytes.length);
      const asking = askingOf(call, gone, this.isTrusted, trace);
      const read = await service.read(this.source('BatchRequest', bytes), asking);
      id = String(read.envelope['id'] ?? '');
      if (read.refused !== undefined) throw fromWire(read.refused)!;
      holder?.enter(METHOD_SCOPES['CompileBatch']!);
      return answerOf(await service.compile(read.requests[0]!, asking).finally(() => holder?.leave()));
    };
    try {
      const answer = await this.observer.run('CompileBatch', call, work);
      return { id, size: answer.bytes.length, bytes: () => batchAnswer(id, answer.bytes) };
    } catch (error) {
      return refusedItem(id, asServiceError(error));
    } finally {
      hold.release();
    }
  }

  private async watch(call: ServerWritableStream<Buffer, Buffer>): Promise<void> {
    const gone = new Cancellation(call);
    const work = async (trace: Trace | null): Promise<Reply> => {
      const { id = '', lastEventId = '' } = decode('WatchJobRequest', call.request) as Record<string, string>;
      const { identity, signal } = askingOf(call, gone, this.isTrusted, trace);
      const check = (): void => holderOf(call)?.check(METHOD_SCOPES['WatchJob']!);
      for await (const event of await this.parts.jobs.watch(id, lastEventId, identity, signal, check)) {
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

  private async upload(call: ServerReadableStream<Buffer, Buffer>, asking: Asking): Promise<Reply> {
    const { service } = this.parts;
    const limit = service.btf.maxBytes;
    const content = new Gather();
    let claimed: string | null = null;
    for await (const bytes of call as AsyncIterable<Buffer>) {
      const part = decode('UploadBtfRequest', bytes) as { digest?: string; chunk?: Uint8Array };
      claimed ??= part.digest ?? '';
      if (content.length + (part.chunk?.length ?? 0) > limit)
        throw new ServiceError('BODY_TOO_LARGE', 'the BTF is larger than the store');
      if (part.chunk !== undefined) content.add(part.chunk);
    }
    const body = { bytes: content.take(), coding: null, limit };
    const { digest, size } = await service.upload(body, claimed ?? '', asking);
    return { bytes: encode('UploadBtfResponse', { digest, size }) };
  }
}

/** An object that cannot be loaded as a whole is refused. */
function answerOf({ answer, timings }: Pick<Compiled, 'answer' | 'timings'>): Reply {
  if (answer.failed) throw objectProblem(answer);
  return { bytes: answer.protobuf, timings };
}

function refusedItem(id: string, error: ServiceError): BatchAnswer {
  const bytes = encode('BatchResponse', { id, error: statusMessage(error) });
  return { id, size: bytes.length, bytes: () => bytes };
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
