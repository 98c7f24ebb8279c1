import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { encodeFrame } from "../../src/protocol/frame.ts";
import { MemoryHub } from "../../transports/memory/memory_hub.ts";
import { MemoryTransport } from "../../transports/memory/memory_transport.ts";
import { type TransportFixture, transportConformance } from "../conformance/transport.ts";
import { claimOf, FakeVerifier, farId, nearId, silent } from "./transport_peers.ts";

const never = new AbortController().signal;

transportConformance("memory", async (): Promise<TransportFixture> => {
  const clock = new FakeClock();
  const hub = new MemoryHub(clock);
  const verifier = new FakeVerifier();
  const { authenticate } = verifier;
  const components = { hub, clock, log: silent, authenticate };
  return {
    near: new MemoryTransport({ ...components, identity: () => claimOf(nearId) }),
    nearId,
    far: new MemoryTransport({ ...components, identity: () => claimOf(farId) }),
    farAddress: { id: farId },
    impostor: new MemoryTransport({ ...components, identity: () => claimOf(nearId, farId) }),
    pushesBack: true,
    get pendingTimers() {
      return clock.pending;
    },
    get openConnections() {
      return hub.openSockets / 2;
    },
    advance: (ms) => clock.advance(ms),
    holdVerification: () => verifier.hold(),
    freeze: () => {
      hub.faults.blackhole = true;
    },
    drop: () => hub.dropAll(),
    sendRaw: async (messages, last) => {
      const socket = await hub.dial(farId, claimOf(nearId), never);
      for (const message of [...messages, encodeFrame(last)]) socket.send(message);
    },
    [Symbol.asyncDispose]: async () => hub.dropAll(),
  };
});
