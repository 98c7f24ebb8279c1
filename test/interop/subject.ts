import assert from "node:assert/strict";
import { delay } from "#async";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import type { CallOptions } from "../../src/context.ts";
import { defineNode, service } from "../../src/define.ts";
import type { ActrError } from "../../src/errors.ts";
import type { NodeOptionsInput } from "../../src/options.ts";
import { ProbeService } from "../fixtures/probe_pb.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { type ActrId, idText, typeOf } from "./peer/identity.ts";
import { ScriptedPeer } from "./peer/peer.ts";
import { Fields, Writer } from "./peer/protobuf.ts";
import type { RtcHabits } from "./peer/rtc_session.ts";

/** Routes of the service that the subject serves. */
export const routes = {
  echo: "probe.ProbeService.Echo",
  wait: "probe.ProbeService.Wait",
} as const;

/** The node that is tested, with its own rendezvous. */
export class Subject implements AsyncDisposable {
  readonly served: Served;
  /** How often handlers were called. */
  handled = 0;
  /** What the next call fails with. */
  failure: ActrError | undefined;

  private constructor(served: Served) {
    this.served = served;
  }

  static async start(
    serveOptions: ServeOptions = {},
    options: NodeOptionsInput = {},
  ): Promise<Subject> {
    let subject: Subject | undefined;
    const begin = (): void => {
      if (subject === undefined) return;
      subject.handled += 1;
      const { failure } = subject;
      subject.failure = undefined;
      if (failure !== undefined) throw failure;
    };
    const probe = service(ProbeService, {
      handlers: {
        echo: ({ data }) => {
          begin();
          return { data };
        },
        wait: async ({ ms }, { signal }) => {
          begin();
          await delay(ms, { signal });
          return {};
        },
      },
    });
    const { serve } = await adapter();
    const served = await serve(
      defineNode({ type: "test:Subject:1.0.0", services: [probe], options }),
      {
        ...{ port: 0, hostname: "127.0.0.1", log: silentLogger(), webrtc: true },
        ...serveOptions,
      },
    );
    subject = new Subject(served);
    return subject;
  }

  /** Its id, as the scripted peer knows ids. */
  get id(): ActrId {
    const { realm, serial, type } = this.served.id;
    return { realm, serial, type: typeOf(`${type.manufacturer}:${type.name}:${type.version}`) };
  }

  /** Base address of its identity service. */
  get ais(): string {
    return this.served.identity;
  }

  /** Its requests that wait for an answer. */
  get pending(): number {
    return this.served.node.outbound.pending.size;
  }

  /** What its requests to a peer leave on: `webrtc`, `websocket`, or nothing yet. */
  wireTo(peer: ActrId): string | undefined {
    const session = this.served.node.outbound.sessions.session(idText(peer));
    return session?.requestLink?.transport;
  }

  /** The address that it advertises. */
  get wsAddress(): string {
    return `${this.served.url.replace(/^http/, "ws")}/ws`;
  }

  /** Has it call a peer's echo with these bytes. */
  call(peer: ActrId, payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    return this.served.context.call(peer, routes.echo, payload, {
      timeoutMs: 15_000,
      ...options,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.served.stop();
    // The native library speaks of ended connections for a while yet.
    await delay(300);
  }
}

/** The roles that a peer can be given. */
export const roles = ["offerer", "answerer"] as const;

/** Starts a peer that reaches the subject by WebRTC, in one of the roles: the server lets the newer node offer unless that cannot. */
export function startPeer(
  subject: Subject,
  role: (typeof roles)[number],
  habits: RtcHabits = {},
): Promise<ScriptedPeer> {
  const answersOnly = role === "answerer";
  const { ais } = subject;
  return ScriptedPeer.start({ ais, type: "acme:RustNode:0.5.9", answersOnly, habits });
}

/** That the subject kept every rule, and has no request open. */
export function assertSound(subject: Subject, peer: ScriptedPeer): void {
  assert.deepEqual(peer.complaints, []);
  assert.deepEqual(peer.signaling.socket.texts, []);
  assert.equal(subject.pending, 0);
}

/** That both call each other with `size` bytes, and get them back. */
export async function assertTalks(
  subject: Subject,
  peer: ScriptedPeer,
  sizes: readonly number[] = [100],
): Promise<void> {
  for (const size of sizes) {
    const session = await peer.connect(subject.id);
    const { envelope } = await peer.calls.call(session, routes.echo, bytesMessage(noise(size)));
    assert.ok(equal(echoed(envelope.payload), noise(size)), `${size} bytes, asked by the peer`);
    const answer = await subject.call(peer.id, noise(size, 1));
    assert.ok(equal(answer, noise(size, 1)), `${size} bytes, asked by the subject`);
  }
  assertSound(subject, peer);
}

/** Whether two byte strings are the same; quicker than a deep comparison. */
export function equal(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && Buffer.compare(one, other) === 0;
}

/** The request of the echo, and of a wait. */
export const bytesMessage = (data: Uint8Array): Uint8Array => new Writer().bytes(1, data).done();
export const pauseMessage = (ms: number): Uint8Array => new Writer().varint(1, ms).done();

/** What the echo sent back. */
export function echoed(payload: Uint8Array | undefined): Uint8Array {
  return new Fields(payload ?? new Uint8Array(0)).bytes(1) ?? new Uint8Array(0);
}

/** Bytes that no cut or doubled fragment leaves as they are. */
export function noise(length: number, seed = 0): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 7 + (at >> 8) + seed) % 251);
}
