import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import type { HttpOptions, Sockets } from "../../src/ports/sockets.ts";
import { encodeFrame } from "../../src/protocol/frame.ts";
import { peerHeaders } from "../../src/protocol/peer_headers.ts";
import { WebSocketTransport } from "../../transports/websocket/websocket_transport.ts";
import { served } from "../conformance/socket_pair.ts";
import type { TransportFixture } from "../conformance/transport.ts";
import { until } from "../fixtures/until.ts";
import { claimOf, FakeVerifier, farId, nearId, silent } from "./transport_peers.ts";
import { WatchedSockets } from "./watched_sockets.ts";

/** Two WebSocket transports on loopback over the sockets of one runtime; their time is fake, their network real. */
export async function websocketFixture(inner: Sockets): Promise<TransportFixture> {
  const clock = new FakeClock();
  const [dialing, listening] = [new WatchedSockets(inner), new WatchedSockets(inner)];
  const verifier = new FakeVerifier();
  const { authenticate } = verifier;
  const components = { sockets: dialing, clock, log: silent, authenticate };
  const far = new WebSocketTransport({ ...components, identity: () => claimOf(farId) });
  const host = await served(inner, acceptWatched(far, listening));
  return {
    near: new WebSocketTransport({ ...components, identity: () => claimOf(nearId) }),
    nearId,
    far,
    farAddress: { id: farId, url: host.url },
    impostor: new WebSocketTransport({ ...components, identity: () => claimOf(nearId, farId) }),
    pushesBack: inner.capabilities.pauses,
    get pendingTimers() {
      return clock.pending;
    },
    get openConnections() {
      return dialing.open.size + listening.open.size;
    },
    async advance(ms) {
      await clock.advance(ms);
      const answered = () => [...dialing.open, ...listening.open].every(({ pinged }) => !pinged);
      await until("every ping is answered", answered, 30_000);
    },
    holdVerification: () => verifier.hold(),
    freeze: () => {
      dialing.frozen = true;
      listening.frozen = true;
    },
    drop: () => {
      dialing.drop();
      listening.drop();
    },
    sendRaw: async (messages, last) => {
      const socket = await host.connect({ headers: peerHeaders(claimOf(nearId)) });
      for (const message of [...messages, encodeFrame(last)]) socket.send(message);
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

function acceptWatched(far: WebSocketTransport, watched: WatchedSockets): HttpOptions["fetch"] {
  return (request, { remoteAddress, upgrade }) =>
    far.accept(request, {
      remoteAddress,
      ...(upgrade && {
        upgrade: (options, onSocket) =>
          upgrade(options, (socket) => onSocket(watched.watch(socket))),
      }),
    });
}
