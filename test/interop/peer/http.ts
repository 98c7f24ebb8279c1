import { connect } from "node:net";

/** What an HTTP server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** The head of an HTTP message, taken apart; undefined while it is not all there. */
export function readHead(
  bytes: Uint8Array,
): { start: string; headers: Map<string, string>; length: number } | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [start = "", ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }),
  );
  return { start, headers, length: end + 4 };
}

/** Sends one request with exactly these headers, in their order, as the real client does: no user-agent, no accept-encoding. */
export async function post(
  url: string,
  headers: readonly (readonly [string, string])[],
  body: Uint8Array,
): Promise<HttpAnswer> {
  const { hostname, port, host, pathname } = new URL(url);
  const socket = connect(Number(port || 80), hostname);
  const all = [...headers, ["host", host], ["content-length", `${body.length}`]] as const;
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST ${pathname} HTTP/1.1\r\n${lines.join("")}\r\n`);
  socket.write(body);
  let received: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of socket) {
      received = Buffer.concat([received, chunk as Buffer]);
      const answer = readAnswer(received);
      if (answer !== undefined) return answer;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`${url} ended the connection after ${received.length} bytes`);
}

function readAnswer(received: Buffer): HttpAnswer | undefined {
  const head = readHead(received);
  if (head === undefined) return undefined;
  const length = Number(head.headers.get("content-length"));
  if (Number.isNaN(length)) throw new Error(`an answer without content-length: ${head.start}`);
  if (received.length < head.length + length) return undefined;
  const body = received.subarray(head.length, head.length + length);
  return { status: Number(head.start.split(" ")[1]), headers: head.headers, body };
}
