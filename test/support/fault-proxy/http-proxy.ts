import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ProxyAnswer {
  status: number;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

/** One request on its way, and all that can be done with it. */
export interface Exchange {
  method: string;
  /** Path with query. */
  path: string;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
  /** Carries it out, as often as it is called; with another body if one is given. Rejects where the server is away. */
  forward(body?: Buffer): Promise<ProxyAnswer>;
  /** What the client hears. `body` as JSON unless it is bytes. */
  answer(answer: { status: number; headers?: NodeJS.Dict<string | string[]>; body: unknown }): void;
  /** The connection ends with an RST. */
  reset(): void;
}

/** What becomes of a request. Whoever neither answers nor resets leaves the client waiting for as long as it likes. */
export type Fate = (exchange: Exchange) => Promise<void> | void;

export interface HttpProxy {
  url: string;
  port: number;
  /** From now on `choose` is asked for each request; its name is counted in `met`. */
  set(choose: (exchange: Exchange) => [name: string, fate: Fate]): void;
  /** How often each named fate was met. */
  met: Map<string, number>;
  close(): Promise<void>;
}

export const pass: Fate = async (exchange) => exchange.answer(await exchange.forward());

const passAll = (_exchange: Exchange): [name: string, fate: Fate] => ["pass", pass];

/** Stands between HTTP/1.1 clients and the server at `target`; does nothing to them until it is told to. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const met = new Map<string, number>();
  const agent = new Agent({ keepAlive: true });
  let choose = passAll;
  const server = createServer(async (request, response) => {
    try {
      const exchange = openExchange(target, agent, request, response, await readAll(request));
      const [name, fate] = choose(exchange);
      met.set(name, (met.get(name) ?? 0) + 1);
      await fate(exchange);
    } catch {
      // The server is away, or the client is: to the client both look like a broken connection.
      request.socket.resetAndDestroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    met,
    set(next) {
      choose = next;
    },
    async close() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function openExchange(
  target: string,
  agent: Agent,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Exchange {
  const method = request.method ?? "GET";
  const path = request.url ?? "/";
  return {
    method,
    path,
    headers: request.headers,
    body,
    forward: (other = body) => forward({ target, agent, method, path, headers: request.headers, body: other }),
    answer({ status, headers = { "content-type": "application/json" }, body: answered }) {
      const bytes = Buffer.isBuffer(answered) ? answered : Buffer.from(JSON.stringify(answered));
      response.writeHead(status, { ...without(headers), "content-length": bytes.length });
      response.end(bytes);
    },
    reset: () => void request.socket.resetAndDestroy(),
  };
}

interface Forwarding {
  target: string;
  agent: Agent;
  method: string;
  path: string;
  headers: NodeJS.Dict<string | string[]>;
  body: Buffer;
}

/** What belongs to one connection, not to the message. `host` stays: signatures cover it. */
const HOP = new Set(["connection", "content-length", "transfer-encoding", "keep-alive", "expect"]);

function without(headers: NodeJS.Dict<string | string[]>): NodeJS.Dict<string | string[]> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP.has(name)));
}

function forward({ target, agent, method, path, headers, body }: Forwarding): Promise<ProxyAnswer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      new URL(path, target),
      { method, agent, headers: { ...without(headers), "content-length": body.length } },
      (incoming) => {
        readAll(incoming).then(
          (answered) => resolve({ status: incoming.statusCode ?? 502, headers: incoming.headers, body: answered }),
          reject,
        );
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

async function readAll(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
