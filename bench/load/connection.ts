import { connect, type Socket } from "node:net";

import { makeTemplate, renewIds, type RequestTemplate, type Target } from "./requests.ts";

/** A keep-alive connection that carries one request at a time. Costs little, so that what is measured is the server. */
export interface Connection {
  isBusy: boolean;
  /** `done` is told whether it was 202; at once that it was not, where the server has hung up. */
  send(done: (isAccepted: boolean) => void): void;
  close(): void;
}

const TEMPLATES = 4;

export async function openConnection(target: Target, batch: number): Promise<Connection> {
  const socket = await connected(target.port);
  const templates = Array.from({ length: TEMPLATES }, () => makeTemplate(target, batch));
  let turn = 0;
  let finished: ((isAccepted: boolean) => void) | null = null;
  let received: Buffer | null = null;
  const finish = (isAccepted: boolean) => {
    const tell = finished;
    finished = null;
    received = null;
    connection.isBusy = false;
    tell?.(isAccepted);
  };
  socket.on("data", (chunk: Buffer) => {
    received = received === null ? chunk : Buffer.concat([received, chunk]);
    const end = endOfAnswer(received);
    if (end > 0 && received.length >= end) finish(received.toString("latin1", 9, 12) === "202");
  });
  socket.on("close", () => finish(false)).on("error", () => {});
  const connection: Connection = {
    isBusy: false,
    send(done) {
      const template = templates[turn++ % TEMPLATES] as RequestTemplate;
      renewIds(template);
      connection.isBusy = true;
      finished = done;
      if (socket.destroyed) setImmediate(finish, false);
      else socket.write(template.bytes);
    },
    close: () => socket.destroy(),
  };
  return connection;
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

const LENGTH = Buffer.from("ontent-length: ");
const LENGTH_CAPITAL = Buffer.from("ontent-Length: ");

/** Where the answer ends, once its head is there; 0 before. */
function endOfAnswer(bytes: Buffer): number {
  const head = bytes.indexOf("\r\n\r\n");
  if (head < 0) return 0;
  const lengthAt = Math.max(bytes.indexOf(LENGTH), bytes.indexOf(LENGTH_CAPITAL));
  return (
    head + 4 + Number.parseInt(bytes.toString("latin1", lengthAt + LENGTH.length, lengthAt + LENGTH.length + 9), 10)
  );
}
