/** The gRPC port: a listener of our own, so that connections can be bounded. */
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';

export interface GrpcListener {
  /** host:port */
  readonly address: string;
  /** Calls in flight may end; streams that stay open are cut after a second. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  readonly connections: number;
  readonly credentials: ServerCredentials;
}

export async function listen(grpc: Server, options: ListenOptions): Promise<GrpcListener> {
  const injector = grpc.createConnectionInjector(options.credentials);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // a client that vanished: its session ends
    injector.injectConnection(socket);
  });
  server.maxConnections = options.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { address, port, family } = server.address() as AddressInfo;
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    close: () => shutdown(grpc, server, sockets),
  };
}

async function shutdown(grpc: Server, server: NetServer, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  await new Promise<void>((resolve) => {
    const cut = setTimeout(() => {
      grpc.forceShutdown();
      resolve();
    }, 1000);
    grpc.tryShutdown(() => {
      clearTimeout(cut);
      resolve();
    });
  });
  for (const socket of sockets) socket.destroy(); // also those that never came to speak HTTP/2
  await closed;
}
