export function openApiDocument(): Record<string, unknown> {
  return { openapi: '3.1.0', info: { title: 'bpf-jitd', version: '0' }, paths: {} };
}
