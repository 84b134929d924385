/** What a request tells while it is answered, where traces are kept. Nothing here knows OpenTelemetry: `tracing.ts` does. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface Trace {
  /** Of the whole trace: 32 hexadecimal digits, for log lines. */
  readonly id: string;
  /** W3C traceparent: hands the trace on, to a worker process or in a job. */
  readonly carrier: string;
  /** A part of the work that has ended; times are performance.now(). Never program text in attributes. */
  child(name: string, start: number, end: number, attributes?: Attributes): Trace;
  set(attributes: Attributes): void;
  /** `fault`: it ended because of this service. */
  end(fault?: boolean): void;
}

export interface Tracing {
  /** The span of a request. `parent`: the traceparent it came with, if any; what is malformed counts for nothing. */
  start(name: string, parent: string | undefined, attributes: Attributes): Trace;
  /** Sends what is kept. */
  close(): Promise<void>;
}
