import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import { runningModule } from "../../adapters/running.ts";
import { readStunMessage } from "../../src/rendezvous/stun/stun_message.ts";

const question = Uint8Array.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...Array(12).fill(9)]);

/** Asks again until there is an answer: datagrams may be lost. */
async function asked(hostname: string, port: number): Promise<{ own: number; answer: Uint8Array }> {
  const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
  try {
    return await new Promise((resolve, reject) => {
      const again = setInterval(() => socket.send(question, port, hostname), 500);
      const end = setTimeout(() => reject(new Error(`no answer from ${hostname}`)), 30_000);
      socket.once("message", (answer) => {
        clearInterval(again);
        clearTimeout(end);
        resolve({ own: socket.address().port, answer });
      });
      socket.send(question, port, hostname);
    });
  } finally {
    socket.close();
  }
}

describe("STUN answers of a rendezvous", () => {
  for (const [hostname, addressBytes] of [
    ["127.0.0.1", 4],
    ["::1", 16],
  ] as const) {
    it(`tells who asks over ${hostname} its port, and ends with the rendezvous`, async () => {
      const { rendezvous } = await runningModule();
      const options = { port: 0, hostname, stunPort: 0, log: silentLogger() };
      const served = await rendezvous(options);
      const port = served.stunPort ?? 0;
      const { own, answer } = await asked(hostname, port);
      const [mapped] = readStunMessage(answer)?.attributes ?? [];
      assert.ok(mapped !== undefined);
      assert.equal(mapped.value.length, 4 + addressBytes);
      assert.equal((((mapped.value[2] ?? 0) << 8) | (mapped.value[3] ?? 0)) ^ 0x2112, own);

      await assert.rejects(rendezvous({ ...options, stunPort: port }), { code: "unavailable" });
      await served.stop();
      await (await rendezvous({ ...options, stunPort: port })).stop();
    });
  }
});
