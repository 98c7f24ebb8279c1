import assert from "node:assert/strict";
import { TestNode, TestWorld } from "@roost/edge/testing";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { ActrError } from "../../../src/errors.ts";
import type { ErrorEvent, Hooks } from "../../../src/hooks.ts";
import type { NetworkEvent } from "../../../src/node/network_event.ts";
import type { NetworkResult } from "../../../src/node/network_events.ts";
import { defaultNodeOptions } from "../../../src/options.ts";
import type { SignalingClient } from "../../../src/signaling/signaling_client.ts";
import { WebRtcTransport } from "../../../transports/webrtc/webrtc_transport.ts";
import { kindOf, payloadOf } from "../transports/fake_signaling.ts";
import { FakePaths, FakeStack } from "../transports/fake_webrtc.ts";
import { echoNode } from "./support.ts";

/** How long events are gathered, milliseconds. */
const { settleMs } = defaultNodeOptions.network;

/** One of the two nodes: the first answers, the second has the larger id and offers. */
export type Side = 0 | 1;

/** Two full nodes that WebRTC alone carries, with fake paths between them. */
export class WebRtcPair implements AsyncDisposable {
  readonly world: TestWorld;
  readonly paths: FakePaths;
  readonly stacks: readonly [FakeStack, FakeStack];
  /** WebRTC hooks of the first node. */
  readonly told: string[] = [];
  /** What each has told `onError`. */
  readonly errors: readonly [ErrorEvent[], ErrorEvent[]] = [[], []];
  /** Texts that handlers of both have got. */
  readonly handled: string[] = [];
  /** Kinds, as `kindOf` names them, of what each has sent through signaling. */
  readonly relayed: readonly [string[], string[]] = [[], []];
  /** Whether signaling passes on what they send to each other; else it takes it and loses it. */
  forwards = true;
  /** What handlers make of a text. */
  handle: (text: string) => string | Promise<string> = (text) => text;
  /** Called when a node is told that a connection works, for the first time or again. */
  onConnected: (side: Side) => void = () => {};
  nodes!: readonly [TestNode, TestNode];

  private constructor(world: TestWorld) {
    this.world = world;
    this.paths = new FakePaths(world.clock);
    this.stacks = [new FakeStack(this.paths), new FakeStack(this.paths)];
  }

  static async open(): Promise<WebRtcPair> {
    const pair = new WebRtcPair(await TestWorld.open());
    pair.nodes = [await pair.#start(0), await pair.#start(1)];
    return pair;
  }

  /** One node calls the other; the first unless `from` says otherwise. */
  async call(text: string, { timeoutMs = 5_000, from = 0 as Side } = {}): Promise<string> {
    return await this.world.clock.through(this.begin(text, { timeoutMs, from }));
  }

  /** As {@link call}, without letting time pass. */
  async begin(text: string, { timeoutMs = 5_000, from = 0 as Side } = {}): Promise<string> {
    const { context } = this.nodes[from];
    const client = context.service(EchoService, this.nodes[from === 0 ? 1 : 0].id);
    return (await client.echo({ message: text }, { timeoutMs })).reply;
  }

  /** What a call fails with, and how long that took, milliseconds. */
  async failure(timeoutMs: number, from: Side = 0): Promise<{ error: ActrError; tookMs: number }> {
    const begunAt = this.world.clock.now();
    try {
      await this.call("lost", { timeoutMs, from });
    } catch (error) {
      assert.equal(this.pendingOf(from), 0);
      return { error: ActrError.from(error), tookMs: this.world.clock.now() - begunAt };
    }
    assert.fail("the call succeeded");
  }

  /** Whether a call, repeated every 250 ms, succeeds in time. */
  async eventually(limitMs: number, from: Side = 0): Promise<boolean> {
    const { clock } = this.world;
    const endsAt = clock.now() + limitMs;
    while (clock.now() < endsAt) {
      const answer = await this.call("again", { timeoutMs: 1_000, from }).catch(() => undefined);
      if (answer === "again") return clock.now() <= endsAt;
      await clock.advance(250);
    }
    return false;
  }

  /** Tells a node what has become of its network, and lets time pass until it has dealt with it. */
  async report(side: Side, ...events: NetworkEvent[]): Promise<NetworkResult[]> {
    const { network } = this.nodes[side].node;
    const results = Promise.all(events.map((event) => network.report(event)));
    await this.world.clock.advance(settleMs);
    return await this.world.clock.through(results);
  }

  /** Calls of a node that wait for an answer. */
  pendingOf(side: Side): number {
    return this.nodes[side].node.outbound.pending.size;
  }

  get pending(): number {
    return this.pendingOf(0);
  }

  /** Peers that a node has links to. */
  sessionsOf(side: Side): number {
    return this.nodes[side].node.outbound.sessions.size;
  }

  /** How many messages of a kind a node has sent through signaling. */
  sent(side: Side, kind: string): number {
    return this.relayed[side].filter((each) => each === kind).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.clock.through(this.world[Symbol.asyncDispose]());
  }

  #hooks(side: Side): Hooks {
    const tell = (event: string): void => {
      if (side === 0) this.told.push(event);
    };
    return {
      onWebRtcConnected: (_context, { status }) => {
        tell(`connected ${status}`);
        this.onConnected(side);
      },
      onWebRtcDisconnected: (_context, { status }) => tell(`disconnected ${status}`),
      onError: (_context, event) => void this.errors[side].push(event),
    };
  }

  #start(side: Side): Promise<TestNode> {
    const { clock, log } = this.world;
    const random = this.world.random();
    const peerConnections = async () => this.stacks[side];
    const handle = (text: string): string | Promise<string> => {
      this.handled.push(text);
      return this.handle(text);
    };
    const hooks = this.#hooks(side);
    return TestNode.start(this.world, echoNode(handle, { hooks }), {
      components: {
        transports: ({ identity, signaling, turnLogin }) => {
          this.#record(signaling, this.relayed[side]);
          const self = () => identity().source;
          const own = { clock, log, random, signaling, peerConnections, self, turnLogin };
          return [new WebRtcTransport(own)];
        },
      },
    });
  }

  /** Writes down the kinds, as `kindOf` names them, of what is sent through signaling. */
  #record(signaling: SignalingClient, kinds: string[]): void {
    const sendRelay = signaling.sendRelay.bind(signaling);
    signaling.sendRelay = (target, payload, trace) => {
      const envelopeId = this.forwards ? sendRelay(target, payload, trace) : "lost";
      kinds.push(kindOf(payloadOf(payload)));
      return envelopeId;
    };
  }
}
