import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ActrError } from "@roost/edge";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import type { SocketHandler, Sockets } from "../../../src/ports/sockets.ts";
import { type Direction, decodeEnvelope, directions } from "../../../src/protocol/envelope.ts";
import { frameHeaderBytes } from "../../../src/protocol/frame.ts";
import { duplexHeader } from "../../../src/protocol/peer_headers.ts";
import { WebSocketTransport } from "../../../transports/websocket/websocket_transport.ts";
import { silent } from "../../adapters/transport_peers.ts";
import { echoNode, recordingHooks } from "./support.ts";

const limit = { timeout: 60_000 };

/** Sockets of an Actr peer, which does not offer to take requests on what it dials; `got` is told what comes. */
function actrSockets(sockets: Sockets, got: (direction: Direction) => void): Sockets {
  const connect: Sockets["connect"] = async (url, options) => {
    const { [duplexHeader]: _offer, ...headers } = options.headers ?? {};
    const socket = await sockets.connect(url, { ...options, headers });
    const handle = socket.handle.bind(socket);
    socket.handle = (handler: SocketHandler) =>
      handle({
        closed: (end) => handler.closed(end),
        message: (data) => {
          got(decodeEnvelope(data.subarray(frameHeaderBytes)).direction);
          handler.message(data);
        },
      });
    return socket;
  };
  return { name: sockets.name, capabilities: sockets.capabilities, connect };
}

/** A node that serves, but listens nowhere: it dials with `sockets`. */
function startDialer(world: TestWorld, sockets: Sockets): Promise<TestNode> {
  const { clock } = world;
  return TestNode.start(world, echoNode(), {
    components: {
      transports: ({ identity, authenticate }) => [
        new WebSocketTransport({ sockets, clock, log: silent, identity, authenticate }),
      ],
    },
  });
}

describe("an Actr peer that dials by WebSocket and has no address", () => {
  it(
    "[T-67] is sent answers alone, cannot be called, and is gone with its socket",
    limit,
    async () => {
      await using world = await TestWorld.open();
      const told: string[] = [];
      const definition = echoNode(undefined, { hooks: recordingHooks(told) });
      const server = await TestNode.start(world, definition, { transport: "websocket" });
      const got: Direction[] = [];
      const own = world.network.sockets();
      const sockets = actrSockets(world.timeless(own), (direction) => got.push(direction));
      const dialer = await startDialer(world, sockets);
      const call = async (from: TestNode, to: TestNode): Promise<string> => {
        const client = from.context.service(EchoService, to.id);
        return (await world.clock.through(client.echo({ message: "hi" }))).reply;
      };
      assert.equal(await call(dialer, server), "Echo: hi");

      const begunAt = world.clock.now();
      await assert.rejects(call(server, dialer), (error) => {
        assert.ok(ActrError.is(error));
        assert.deepEqual([error.code, error.details?.["reason"]], ["unavailable", "no_route"]);
        return true;
      });
      assert.equal(world.clock.now(), begunAt);
      assert.deepEqual(got, [directions.response]);

      assert.equal(server.node.outbound.sessions.size, 1);
      own.dropAll();
      await world.clock.advance(1_000);
      assert.equal(server.node.outbound.sessions.size, 0);
      assert.equal(told.filter((hook) => hook === "onWebSocketDisconnected").length, 1);
    },
  );
});
