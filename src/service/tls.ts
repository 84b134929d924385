/** Certificate, key and client authorities from their files, for HTTP and gRPC alike; taken again when they change. */
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { ConfigError, type Config } from './config.js';
import type { Metrics } from './telemetry/metrics.js';
import { watchFiles, type Watch } from './watch-files.js';

/** A handshake that takes longer is dropped. */
const HANDSHAKE_MS = 10_000;

/** What a TLS server is made with and keeps. */
export interface TlsServerOptions extends SecureContextOptions {
  readonly requestCert: boolean;
  readonly rejectUnauthorized: boolean;
  readonly handshakeTimeout: number;
}

export class Certificates {
  private context: SecureContextOptions;
  private readonly listeners: ((context: SecureContextOptions) => void)[] = [];

  /** Throws what the system or OpenSSL says. */
  private constructor(
    private readonly cert: string,
    private readonly key: string,
    private readonly clientCa: string,
  ) {
    this.context = this.read();
  }

  /** Null where there is no TLS. Throws ConfigError. */
  static open({ tlsCert, tlsKey, tlsClientCa }: Config): Certificates | null {
    if (tlsCert === '') return null;
    try {
      return new Certificates(tlsCert, tlsKey, tlsClientCa);
    } catch (error) {
      throw new ConfigError(`BPF_JITD_TLS_…: ${(error as Error).message}`);
    }
  }

  get options(): TlsServerOptions {
    const mutual = this.clientCa !== '';
    return { ...this.context, requestCert: mutual, rejectUnauthorized: mutual, handshakeTimeout: HANDSHAKE_MS };
  }

  /** Called with each later state of the files. */
  onChange(listener: (context: SecureContextOptions) => void): void {
    this.listeners.push(listener);
  }

  /** Takes the files whenever they change; connections that are open stay as they are. */
  watch(metrics: Metrics, logger: Logger): Watch {
    const files = [this.cert, this.key, this.clientCa].filter((path) => path !== '');
    const reload = (): void => {
      this.context = this.read();
      for (const listener of this.listeners) listener(this.context);
      const { validTo, subject } = new X509Certificate(this.context.cert as Buffer);
      metrics.reloadOk.set({ file: 'tls' }, 1);
      metrics.certificateExpiry.set(Date.parse(validTo) / 1000);
      logger.info({ subject, validTo }, 'certificate');
    };
    return watchFiles(files, reload, (error) => {
      metrics.reloadOk.set({ file: 'tls' }, 0);
      logger.error({ err: error }, 'the certificate cannot be taken: the old one stays in use');
    });
  }

  private read(): SecureContextOptions {
    const context: SecureContextOptions = {
      cert: readFileSync(this.cert),
      key: readFileSync(this.key),
      ...(this.clientCa === '' ? {} : { ca: readFileSync(this.clientCa) }),
      minVersion: 'TLSv1.2',
    };
    createSecureContext(context); // throws where the key is another certificate's
    return context;
  }
}

/** gRPC's credentials over certificates that change. */
export class GrpcCertificates extends ServerCredentials {
  constructor(certificates: Certificates) {
    const { options } = certificates;
    super(options, options);
    certificates.onChange((context) => {
      this.updateSecureContextOptions(context);
    });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
