import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { systemClock } from "../../../adapters/system_clock.ts";
import { wasmGuestHost } from "../../../src/guest/wasm/wasm_host.ts";
import type {
  EntryOutcome,
  GuestEntry,
  GuestHost,
  GuestInstance,
  HostAnswer,
  HostCall,
} from "../../../src/ports/guest_host.ts";
import {
  guestErrors as allErrors,
  dataChunk,
  nodeError,
  observations,
} from "../../conformance/guest_samples.ts";
import { bytesOf, callerId, guestLimits, never, selfId } from "../../conformance/guest_world.ts";
import { guestComponent } from "../../fixtures/guests/guest_component.ts";
import { callPayload, chunkPayload, errorPayload } from "../../fixtures/guests/probe_guest.ts";
import { jcoHost, jcoIsMissing } from "./jco_host.ts";

/** jco loses a byte order mark at the start of a text, which the canonical ABI keeps. */
const guestErrors = allErrors.filter(({ message }) => !message.startsWith("\ufeff"));

/** How many requests each host is given; `ORACLE_RUNS=20000` gives more. */
const runs = Number(process.env["ORACLE_RUNS"] ?? 2_000);

/** Seeded requests: the same for both hosts. */
class Requests {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }

  /** Mostly short, at times as long as 200 KB. */
  payload(): Uint8Array {
    const length = this.below(1_000) === 0 ? this.below(200_000) : this.below(2 ** this.below(11));
    return this.#random.bytes(length);
  }

  text(): string {
    return this.pick(["", "a", "route.of/some Service", "ünï", "🔑🔑", "\u0000", "x".repeat(300)]);
  }

  /** A request, and the answers that its calls are given. */
  next(): { route: string; payload: Uint8Array; answer: HostAnswer } {
    const route = this.pick([
      "echo",
      "error",
      "call",
      "tell",
      "call-raw",
      "discover",
      "register",
      "unregister",
      "send",
      "log",
      "pair",
      "chain",
      "count",
      "yield",
      this.text(),
    ]);
    return { route, payload: this.#payloadOf(route), answer: this.#answerTo(route) };
  }

  #payloadOf(route: string): Uint8Array {
    const target = this.pick(["host", "workload", "peer"] as const);
    switch (route) {
      case "error": {
        const { code, message, retryAfterMs } = this.pick(guestErrors);
        return errorPayload(
          code,
          message,
          retryAfterMs === undefined ? undefined : BigInt(retryAfterMs),
        );
      }
      case "call":
      case "tell":
      case "call-raw":
        return callPayload(this.pick(["", "r", "ünï"]), this.payload(), target);
      case "pair":
        return callPayload("r", Uint8Array.of(1, ...this.payload().subarray(0, 1_000)), target);
      case "chain":
        return callPayload("r", Uint8Array.of(this.below(5)), target);
      case "send":
        return chunkPayload(this.pick(["", "s", "🔑"]), this.payload(), this.below(5), target);
      case "register":
      case "unregister":
      case "log":
        return bytesOf(this.text());
      default:
        return this.payload();
    }
  }

  #answerTo(route: string): HostAnswer {
    if (route !== "log" && this.below(3) === 0) return { error: this.pick(guestErrors) };
    if (route === "discover") return { ok: this.pick([callerId, selfId]) };
    const hasBytes = ["call", "call-raw", "pair", "chain"].includes(route);
    return { ok: hasBytes ? this.payload() : undefined };
  }
}

/** One host's instance of the probe, and what it has asked for. */
class Subject {
  readonly calls: HostCall[] = [];
  answer: HostAnswer = { ok: undefined };
  /** Whether answers are there at once. */
  atOnce = true;
  #instance: GuestInstance | undefined;

  async open(host: GuestHost): Promise<void> {
    const code = { kind: "wasm", binary: await guestComponent("probe") } as const;
    const image = await host.load(code, guestLimits, never);
    this.#instance = await image.instantiate((call) => {
      this.calls.push(call);
      return this.atOnce ? this.answer : Promise.resolve(this.answer);
    }, never);
  }

  async enter(entry: GuestEntry, token: bigint): Promise<EntryOutcome> {
    assert.ok(this.#instance !== undefined);
    const requestId = entry.name === "dispatch" ? entry.envelope.requestId : `hook:${entry.name}`;
    const caller = entry.name === "dispatch" ? { callerId } : {};
    return this.#instance.enter(entry, { token, selfId, requestId, ...caller });
  }
}

describe("components in our host and in jco's", {
  skip: jcoIsMissing ?? false,
  timeout: 300_000,
}, () => {
  const [ours, theirs] = [new Subject(), new Subject()];

  before(async () => {
    const random = new SeededRandom(1);
    await ours.open(wasmGuestHost({ clock: systemClock(), random }));
    await theirs.open(jcoHost);
  });

  async function bothEnter(
    entry: GuestEntry,
    answer: HostAnswer,
    token: bigint,
    what: string,
  ): Promise<void> {
    for (const subject of [ours, theirs]) {
      subject.calls.length = 0;
      subject.answer = answer;
      subject.atOnce = token % 2n === 0n;
    }
    const [found, expected] = [await ours.enter(entry, token), await theirs.enter(entry, token)];
    assert.deepEqual(found, expected, what);
    assert.deepEqual(ours.calls, theirs.calls, what);
  }

  it(`answer ${runs} requests alike`, { timeout: 300_000 }, async () => {
    const requests = new Requests(20_261_121);
    for (let run = 0; run < runs; run++) {
      const { route, payload, answer } = requests.next();
      const envelope = { requestId: `request ${run}`, routeKey: route, payload };
      await bothEnter({ name: "dispatch", envelope }, answer, BigInt(run + 1), `${run}: ${route}`);
    }
  });

  it("tell guests the same of every event, byte for byte", { timeout: 60_000 }, async () => {
    const lifecycle: GuestEntry[] = [
      { name: "on-start" },
      { name: "on-ready" },
      { name: "on-stop" },
    ];
    const chunk = dataChunk("ström", new Uint8Array(70).fill(3));
    for (const [index, entry] of [...lifecycle, nodeError, chunk, ...observations].entries()) {
      const token = 2n ** 63n + BigInt(index);
      await bothEnter(entry, { ok: new Uint8Array() }, token, entry.name);
      const envelope = { requestId: "journal", routeKey: "journal", payload: new Uint8Array() };
      await bothEnter(
        { name: "dispatch", envelope },
        { ok: undefined },
        token,
        `after ${entry.name}`,
      );
    }
  });
});
