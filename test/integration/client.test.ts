import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "@roost/edge/client";
import { runningModule } from "../../adapters/running.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import { app } from "../../examples/echo/app.ts";
import { EchoService } from "../../examples/echo/echo_pb.ts";
import type { NodeDefinition } from "../../src/define.ts";
import { defineNode, formatActrId } from "../../src/mod.ts";
import {
  describeRoute,
  encodeDescribeRequest,
  jsonMethod,
} from "../../src/protocol/descriptors.ts";

const type = "acme:EchoService:1.0.0";

async function serve(
  definition: NodeDefinition = app,
  options: ServeOptions = {},
): Promise<Served> {
  const running = await runningModule();
  return running.serve(definition, { port: 0, log: running.silentLogger(), ...options });
}

describe("a peer that only calls", () => {
  it("calls a typed service by type, by text of an id and by id", async () => {
    await using node = await serve();
    await using peer = await connect(node.url);
    for (const target of [type, formatActrId(node.id), node.id]) {
      assert.equal(
        (await peer.service(EchoService, target).echo({ message: "hi" })).reply,
        "Echo: hi",
      );
    }
    assert.deepEqual(peer.id.type, { manufacturer: "local", name: "Client", version: "0.0.0" });
  });

  it("finds the node that came in place of the one that went, at once", async () => {
    await using home = await serve(defineNode({}));
    const options = { identity: home.identity };
    await using peer = await connect(home.url);
    const echo = peer.service(EchoService, type);
    const first = await serve(app, options);
    await echo.echo({ message: "1" });
    await first.stop();
    await using _second = await serve(app, options);
    assert.equal((await echo.echo({ message: "2" }, { timeoutMs: 1000 })).reply, "Echo: 2");
  });

  it("says what is wrong with an address, a target and a realm", async () => {
    const silent = (await runningModule()).silentLogger();
    await assert.rejects(connect("localhost"), { code: "config" });
    await assert.rejects(connect("http://127.0.0.1:1", { log: silent }), {
      code: "registration",
      message: /cannot reach http:\/\/127\.0\.0\.1:1\/ais/,
    });
    await using node = await serve(app, { rendezvous: { realms: [{ id: 1001 }] } });
    await assert.rejects(connect(node.url, { realm: 5, log: silent }), { code: "registration" });
    await using peer = await connect(node.url);
    await assert.rejects(peer.find("acme:Nobody:1.0.0"), { code: "not_found" });
    await assert.rejects(peer.find("acme"), { code: "invalid_argument" });
  });

  it("is told the schema of a service, under the access rules", async () => {
    await using node = await serve();
    await using peer = await connect(node.url);
    const request = encodeDescribeRequest("echo.EchoService");
    const method = jsonMethod(
      await peer.context.call(node.id, describeRoute, request),
      "echo.EchoService.Echo",
    );
    const answer = await peer.context.call(
      node.id,
      "echo.EchoService.Echo",
      method.encodeRequest({ message: "x" }),
    );
    assert.deepEqual(method.decodeResponse(answer), { reply: "Echo: x" });
    await assert.rejects(peer.context.call(node.id, describeRoute, encodeDescribeRequest("a.B")), {
      code: "not_found",
    });
  });
});
