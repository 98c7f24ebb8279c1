import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deadline } from "#async";
import { systemDatagrams } from "../../adapters/datagrams.ts";
import type { DatagramAddress, DatagramSocket } from "../../src/ports/datagrams.ts";
import { withResolvers } from "../../src/with_resolvers.ts";

const question = Uint8Array.of(1, 2, 3);

/** Sends until `answered` ends, within a minute: datagrams may be lost. */
async function sentUntil(answered: Promise<unknown>, send: () => void): Promise<void> {
  const again = setInterval(send, 500);
  try {
    send();
    await deadline(answered, 60_000);
  } finally {
    clearInterval(again);
  }
}

/** Opens one that answers what it is sent with what it is sent, and notes who sent it. */
async function echo(hostname: string, seen: Set<string>): Promise<DatagramSocket> {
  const socket: DatagramSocket = await systemDatagrams.open({ hostname, port: 0 }, (data, from) => {
    seen.add(`${from.address} ${from.port}`);
    socket.send(data, from);
  });
  return socket;
}

describe("UDP ports", () => {
  for (const hostname of ["127.0.0.1", "::"]) {
    it(`tells who sent, and reaches it: IPv4 at ${hostname}`, async () => {
      const seen = new Set<string>();
      const answered = withResolvers<readonly [Uint8Array, DatagramAddress]>();
      await using socket = await echo(hostname, seen);
      const own = { hostname: "127.0.0.1", port: 0 };
      await using asking = await systemDatagrams.open(own, (...heard) => answered.resolve(heard));
      const to = { address: "127.0.0.1", port: socket.port };
      await sentUntil(answered.promise, () => asking.send(question, to));
      const [data, from] = await answered.promise;
      assert.deepEqual([[...data], from.address, from.port], [[1, 2, 3], to.address, to.port]);
      assert.deepEqual([...seen], [`127.0.0.1 ${asking.port}`]);
    });
  }

  it("loses what cannot be sent, and goes on", async () => {
    const heard = withResolvers<void>();
    const hostname = "127.0.0.1";
    await using socket = await systemDatagrams.open({ hostname, port: 0 }, () => heard.resolve());
    const own = { address: hostname, port: socket.port };
    socket.send(question, { ...own, port: 0 });
    socket.send(new Uint8Array(70_000), own);
    await sentUntil(heard.promise, () => socket.send(question, own));
    await socket[Symbol.asyncDispose]();
    socket.send(question, own);
  });
});
