import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { denoSockets } from "../../adapters/deno/sockets.ts";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import { served } from "../conformance/socket_pair.ts";
import { socketsConformance } from "../conformance/sockets.ts";

if ("Deno" in globalThis) {
  socketsConformance("Deno.serve", denoSockets);

  describe("sockets: Deno.serve and a client of ws", () => {
    it("selects a subprotocol of those that come without blanks between them", async () => {
      await using host = await served(denoSockets(), (_request, { upgrade }) => {
        assert.ok(upgrade !== undefined);
        return upgrade({ maxMessageBytes: 1_000, protocol: "rivet" }, () => {});
      });
      const client = await nodeSockets().connect(host.url, {
        maxMessageBytes: 1_000,
        protocols: ["rivet", "rivet_encoding.json"],
        signal: AbortSignal.timeout(60_000),
      });
      assert.equal(client.protocol, "rivet");
      client.terminate();
    });
  });
} else it("sockets: Deno.serve", { skip: "runs on Deno" }, () => {});
