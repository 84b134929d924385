/** Swagger UI in a real browser: it renders the document, and "Try it out" gets a kernel's answer. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import WebSocket from 'ws';
import { testService } from '../service/fixtures/service.js';

const CHROMIUM = '/usr/bin/chromium';

/** The few commands of the DevTools protocol that a page is driven with. */
class Page {
  private next = 1;
  private readonly waiting = new Map<number, (result: Record<string, unknown>) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
      if (message.id !== undefined) this.waiting.get(message.id)?.(message.result ?? {});
    });
  }

  static async open(url: string): Promise<Page> {
    const socket = new WebSocket(url);
    await new Promise((done, failed) => socket.once('open', done).once('error', failed));
    return new Page(socket);
  }

  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = this.next++;
    return new Promise((done) => {
      this.waiting.set(id, done);
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** The value of an expression once it is true, or null after `seconds`. */
  async until(expression: string, seconds = 30): Promise<unknown> {
    for (let i = 0; i < seconds * 5; i++) {
      const { result } = await this.send('Runtime.evaluate', { expression, returnByValue: true });
      const { value } = (result ?? {}) as { value?: unknown };
      if (value !== undefined && value !== null && value !== false && value !== '') return value;
      await new Promise((done) => setTimeout(done, 200));
    }
    return null;
  }

  close(): void {
    this.socket.close();
  }
}

async function startBrowser(profile: string): Promise<{ browser: ChildProcess; endpoint: string }> {
  const browser = spawn(
    CHROMIUM,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      '--window-size=1200,1600',
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const port = await new Promise<string>((done) => {
    let text = '';
    browser.stderr!.on('data', (data: Buffer) => {
      text += data.toString();
      const found = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(text);
      if (found !== null) done(found[1]!);
    });
  });
  return { browser, endpoint: `http://127.0.0.1:${port}` };
}

t.test('Swagger UI', { skip: existsSync(CHROMIUM) ? false : 'chromium is not installed (test/setup)' }, async (t) => {
  const service = await testService(t);
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
  const { browser, endpoint } = await startBrowser(profile);
  t.teardown(async () => {
    const ended = new Promise((done) => browser.once('exit', done));
    browser.kill();
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const pages = (await (await fetch(`${endpoint}/json/list`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const page = await Page.open(pages.find(({ type }) => type === 'page')!.webSocketDebuggerUrl);
  await page.send('Page.navigate', { url: `${service.url}/docs` });
  const title = await page.until("document.querySelector('.info .title')?.innerText");
  t.match(title, /bpf-jitd/);
  const operations = await page.until(
    "[...document.querySelectorAll('.opblock-summary-path')].map((e) => e.innerText.replace(/\\u200b/g, '')).join(' ')",
  );
  t.match(operations, /\/compile .*\/targets/);
  await page.until("document.querySelector('#operations-default-compile .opblock-summary-control')?.click() ?? true");
  await page.until(
    "(() => { const b = document.querySelector('#operations-default-compile .try-out__btn'); b?.click(); return b !== null; })()",
  );
  await page.until(
    "(() => { const b = document.querySelector('#operations-default-compile .execute'); b?.click(); return b !== null; })()",
  );
  const status = await page.until(
    "document.querySelector('#operations-default-compile .live-responses-table tbody .response-col_status')?.innerText",
  );
  t.match(String(status), /^200/);
  const body = await page.until(
    "document.querySelector('#operations-default-compile .live-responses-table tbody .response-col_description pre')?.innerText",
  );
  t.match(String(body), /"accepted":\s*true/);
  const { data } = await page.send('Page.captureScreenshot', { format: 'png' });
  t.ok(String(data).length > 20_000, 'a screenshot with something on it');
  if (process.env['SCREENSHOT'] !== undefined)
    writeFileSync(process.env['SCREENSHOT'], Buffer.from(String(data), 'base64'));
  page.close();
});
