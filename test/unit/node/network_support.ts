import assert from "node:assert/strict";
import { NetworkActions } from "../../../src/node/network_actions.ts";
import type { NetworkEvent, NetworkPath } from "../../../src/node/network_event.ts";
import { NetworkEvents } from "../../../src/node/network_events.ts";
import { NetworkReconciler } from "../../../src/node/network_reconciler.ts";
import { defaultNodeOptions, type NetworkOptions } from "../../../src/options.ts";
import { Barrier } from "../../../src/session/barrier.ts";
import { Heartbeat } from "../../../src/signaling/heartbeat.ts";
import { connected, type FakeSocket } from "../signaling/support.ts";

/** The path is available, by snapshot number `sequence`. */
export const available = (sequence = 1, more: Partial<NetworkPath> = {}): NetworkPath => ({
  kind: "path",
  sequence,
  availability: "available",
  ...more,
});
export const unavailable = (sequence = 1): NetworkPath =>
  available(sequence, { availability: "unavailable" });
export const unknown = (sequence = 1): NetworkPath =>
  available(sequence, { availability: "unknown" });
export const foreground = (seconds: number): NetworkEvent => ({
  kind: "foreground",
  backgroundMs: seconds * 1_000,
});
export const background: NetworkEvent = { kind: "background" };
export const cleanup: NetworkEvent = { kind: "cleanup", reason: "user_logout" };
export const force: NetworkEvent = { kind: "reconnect", reason: "manual" };

/** Network events of a node whose signaling server the test plays, and whose sessions write down what is done to them. */
export async function networked(options: Partial<NetworkOptions> = {}) {
  const parts = await connected();
  const { clock, log, session, client, credentials, attempts, events: told } = parts;
  const heartbeat = new Heartbeat({
    clock,
    log,
    session,
    signaling: client,
    credentials,
    load: () => ({ backlog: 0 }),
  });
  const server = { answers: true };
  let probes = 0;
  /** Answers beats on a socket while the server does. */
  const play = (socket: FakeSocket): FakeSocket => {
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      send(data);
      probes++;
      if (server.answers) socket.answer({ case: "pong", value: { seq: 1n } });
    };
    return socket;
  };
  play(parts.socket);
  const done: string[] = [];
  const barrier = new Barrier(clock);
  const actions = new NetworkActions({
    signaling: client,
    probe: (limitMs) => heartbeat.probe(limitMs),
    sessions: {
      guard: () => void done.push("guard"),
      recover: () => void done.push("recover"),
      reset: async () => void done.push("reset"),
    },
    pending: { failAll: () => void done.push("fail") },
  });
  const reconciler = new NetworkReconciler(
    { clock, log, barrier, actions },
    { ...defaultNodeOptions.network, ...options },
  );
  const network = new NetworkEvents();
  network.attach((report) => reconciler.take(report));
  return {
    ...parts,
    network,
    reconciler,
    barrier,
    done,
    server,
    /** Beats that were sent. */
    probes: () => probes,
    /** Attempts to connect beyond the first. */
    connects: () => attempts.length - 1,
    disconnects: () => told.filter((each) => each.startsWith("disconnected")).length,
    /** Lets the newest attempt succeed. */
    accept: async () => play(await parts.accept()),
    stop: async () => {
      await client.close();
      assert.equal(clock.pending, 0);
    },
  };
}
