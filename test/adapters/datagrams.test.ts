import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { systemDatagrams } from "../../adapters/datagrams.ts";
import type { DatagramAddress, DatagramSocket } from "../../src/ports/datagrams.ts";
import { withResolvers } from "../../src/with_resolvers.ts";

const question = Uint8Array.of(1, 2, 3);
const timeout = 60_000;

/** Sends until `answered` ends: datagrams may be lost. */
async function sentUntil(answered: Promise<unknown>, send: () => void): Promise<void> {
  const again = setInterval(send, 500);
  try {
    send();
    await answered;
  } finally {
    clearInterval(again);
  }
}

/** Opens one that answers what it is sent with what it is sent, and notes who sent it. */
async function echo(hostname: string): Promise<{ socket: DatagramSocket; seen: Set<string> }> {
  const seen = new Set<string>();
  const socket: DatagramSocket = await systemDatagrams.open({ hostname, port: 0 }, (data, from) => {
    seen.add(`${from.address} ${from.port}`);
    socket.send(data, from);
  });
  return { socket, seen };
}

describe("UDP ports", () => {
  for (const hostname of ["127.0.0.1", "::"]) {
    it(`tells who sent, and reaches it: IPv4 at ${hostname}`, { timeout }, async () => {
      const { socket, seen } = await echo(hostname);
      const answered = withResolvers<readonly [Uint8Array, DatagramAddress]>();
      const asking = await systemDatagrams.open({ hostname: "127.0.0.1", port: 0 }, (...heard) =>
        answered.resolve(heard),
      );
      const to = { address: "127.0.0.1", port: socket.port };
      await sentUntil(answered.promise, () => asking.send(question, to));
      const [data, from] = await answered.promise;
      assert.deepEqual([[...data], from.address, from.port], [[1, 2, 3], to.address, to.port]);
      assert.deepEqual([...seen], [`127.0.0.1 ${asking.port}`]);
      await asking[Symbol.asyncDispose]();
      await socket[Symbol.asyncDispose]();
    });
  }

  it("loses what cannot be sent, and goes on", { timeout }, async () => {
    const heard = withResolvers<void>();
    const socket = await systemDatagrams.open({ hostname: "127.0.0.1", port: 0 }, () =>
      heard.resolve(),
    );
    const own = { address: "127.0.0.1", port: socket.port };
    socket.send(question, { ...own, port: 0 });
    socket.send(new Uint8Array(70_000), own);
    await sentUntil(heard.promise, () => socket.send(question, own));
    await socket[Symbol.asyncDispose]();
    socket.send(question, own);
    await socket[Symbol.asyncDispose]();
  });
});
