import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import type { Context } from "../../../src/context.ts";
import { ActrError } from "../../../src/errors.ts";
import { toGuestError } from "../../../src/guest/guest_error.ts";
import type { NodeCall } from "../../../src/guest/life/host_gate.ts";
import { GuestStreams } from "../../../src/guest/operations/guest_streams.ts";
import { HostOperations } from "../../../src/guest/operations/host_operations.ts";
import type { HostAnswer } from "../../../src/ports/guest_host.ts";
import { lanes } from "../../../src/protocol/frame.ts";
import type { Streams } from "../../../src/stream.ts";
import { callerId, selfId } from "../../fixtures/guest_world.ts";
import { RecordingLogger } from "../identity/support.ts";

const payload = new Uint8Array(1);
const token = 1n;
const call: NodeCall = { name: "call-raw", token, target: callerId, routeKey: "r", payload };

/** A node that does nothing but write down what it is asked, and answers as it is told. */
class AskedNode {
  readonly asked: unknown[][] = [];
  readonly log = new RecordingLogger();
  readonly clock = new FakeClock();
  readonly operations: HostOperations;
  readonly #context: Context;

  constructor(answer: (name: string) => unknown) {
    const does =
      (name: string) =>
      async (...all: unknown[]): Promise<unknown> => {
        this.asked.push([name, ...all]);
        return answer(name);
      };
    const streams = { send: does("send") };
    const asked = { call: does("call"), tell: does("tell"), discover: does("discover") };
    this.#context = { selfId, log: this.log, streams, ...asked } as unknown as Context;
    const own = new GuestStreams(
      () => this.#context.streams,
      async () => {},
    );
    this.operations = new HostOperations({ clock: this.clock, streams: own });
  }

  async ask(asked: NodeCall, deadline?: number): Promise<HostAnswer> {
    const scope = { context: this.#context, ...(deadline !== undefined && { deadline }) };
    return await this.operations.perform(asked, scope);
  }
}

describe("what a guest asks for", () => {
  it("waits for 30 s, or as long as somebody waits for the entry", async () => {
    const node = new AskedNode(() => payload);
    await node.clock.advance(1_000);
    const now = node.clock.monotonic();
    for (const deadline of [undefined, now + 400, now + 60_000]) {
      assert.deepEqual(await node.ask(call, deadline), { ok: payload });
    }
    const timeouts = node.asked.map((all) => all.at(-1));
    const expected = [30_000, 400, 30_000].map((timeoutMs) => ({ timeoutMs }));
    assert.deepEqual(timeouts, expected);
    const late = { error: { code: "timed_out", message: "" } };
    assert.deepEqual(await node.ask(call, now), late);
    assert.equal(node.asked.length, 3, "nobody is asked when nobody waits");
  });

  it("is one of a type, and chunks as they are", async () => {
    const node = new AskedNode(() => [selfId]);
    const discover = { name: "discover", token, type: selfId.type } as const;
    assert.deepEqual(await node.ask(discover), { ok: selfId });
    const metadata = [{ key: "k", value: "v" }];
    const chunk = { streamId: "s", sequence: 3n, payload, metadata, timestampMs: 5n };
    const send = { name: "send-data-chunk", token, chunk, lane: lanes.streamLatencyFirst } as const;
    assert.deepEqual(await node.ask({ ...send, target: { kind: "workload" } }), { ok: undefined });
    const init = { payload, sequence: 3n, metadata, timestampMs: 5 };
    assert.deepEqual(node.asked, [
      ["discover", selfId.type, { count: 1 }],
      ["send", selfId, "s", init, { payloadType: lanes.streamLatencyFirst }],
    ]);
  });

  it("[GD-8] fails with a text that is for strangers, or with none, and the rest in the log", async () => {
    const secret = new ActrError("internal", "the password is swordfish");
    const open = new ActrError("not_found", "no such route", { public: true });
    for (const [thrown, message, lines] of [
      [secret, "the details are in the node's log", 1],
      [open, "no such route", 0],
    ] as const) {
      const node = new AskedNode(() => Promise.reject(thrown));
      const answer = await node.ask(call);
      assert.deepEqual(answer, { error: { code: thrown.code, message } });
      assert.equal(node.log.levels("guest.call_failed").length, lines);
    }
  });

  it("fails with the nearest case that guests have", () => {
    const caseOf = (code: ActrError["code"]): string => toGuestError(new ActrError(code, "")).code;
    assert.equal(caseOf("overloaded"), "unavailable");
    assert.equal(caseOf("config"), "invalid_argument");
    assert.equal(caseOf("dependency_not_found"), "dependency_not_found");
  });
});

describe("streams of a guest", () => {
  /** A node's streams, of which others have some. */
  function shared(...others: string[]) {
    const names = new Set(others);
    const streams = {
      register: (id: string) => void names.add(id),
      unregister: (id: string) => void names.delete(id),
    } as unknown as Streams;
    const own = new GuestStreams(
      () => streams,
      async () => {},
    );
    return { names, own };
  }

  it("are its own: it gives back none of others", () => {
    const { names, own } = shared("others");
    own.register("mine");
    for (const id of ["others", "mine", "mine"]) own.unregister(id);
    assert.deepEqual([...names], ["others"]);
  });

  it("are forgotten with the instance that registered them", () => {
    const { names, own } = shared();
    own.register("old");
    own.clear();
    own.suspend();
    own.resume();
    assert.equal(names.size, 0);
  });
});
