/** The OpenAPI document: committed, equal to the routes, and its examples work. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { openApiDocument, PATHS } from '../../src/service/contract/openapi.js';
import { testService } from './fixtures/service.js';

interface Operation {
  readonly security?: readonly [{ readonly apiKey: readonly [string] }];
  readonly requestBody?: {
    readonly content: Record<string, { readonly examples?: Record<string, { readonly value: unknown }> }>;
  };
}

t.test('the committed document is the generated one (npm run generate)', (t) => {
  const committed = JSON.parse(readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8')) as unknown;
  t.strictSame(committed, openApiDocument());
  t.end();
});

t.test('every reference leads somewhere', (t) => {
  const document = openApiDocument() as { components: { schemas: Record<string, unknown> } };
  for (const [, name] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
    t.ok(document.components.schemas[name!], name ?? '');
  }
  t.end();
});

t.test('paths and scopes are the routes’, and the examples are answered', async (t) => {
  const service = await testService(t);
  const documented = Object.entries(PATHS).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(
      ([method, { security }]) => `${method} ${path} ${security?.[0].apiKey[0] ?? 'open'}`,
    ),
  );
  const routes = service.routes
    .filter(({ method, url }) => method !== 'HEAD' && !url.startsWith('/docs'))
    .map(({ method, url, scope }) => `${method.toLowerCase()} ${url.replace(/:(\w+)/g, '{$1}')} ${scope}`);
  t.strictSame([...documented].sort(), [...routes].sort());

  const { post } = PATHS['/compile'] as { post: Operation };
  const examples = post.requestBody?.content['application/json']?.examples ?? {};
  const answers = new Map<string, { programs: readonly { accepted: boolean; log?: string }[] }>();
  for (const [name, { value }] of Object.entries(examples)) {
    const response = await service.post(value);
    t.equal(response.status, 200, name);
    answers.set(name, (await response.json()) as { programs: { accepted: boolean }[] });
  }
  t.equal(answers.get('accepted')?.programs[0]?.accepted, true);
  t.match(answers.get('rejected')?.programs[0], { accepted: false, log: /R0 !read_ok/ });
  t.equal((await fetch(`${service.url}/docs`)).status, 200);
  t.strictSame(await (await fetch(`${service.url}/openapi.json`)).json(), openApiDocument());
});
