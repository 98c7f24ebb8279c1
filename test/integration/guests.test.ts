import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "@roost/edge/client";
import { runningModule } from "../../adapters/running.ts";
import { guestPlace } from "../../adapters/serve/guests.ts";
import type { Served, ServeOptions } from "../../adapters/serve/options.ts";
import { systemClock } from "../../adapters/system_clock.ts";
import { GuestQuota } from "../../src/guest/life/quota.ts";
import { packPackage } from "../../src/guest/package/pack.ts";
import type { PackageParts } from "../../src/guest/package/package_parts.ts";
import type { VerifiedPackage } from "../../src/guest/package/verified_package.ts";
import { staticTrust } from "../../src/guest/trust/static_trust.ts";
import { guestRuntime } from "../../src/guest/workload/guest_runtime.ts";
import type { GuestPlace } from "../../src/guest/workload/live_guest.ts";
import type { GuestDefinition, GuestIsolation } from "../../src/guest.ts";
import { defineNode, formatActrType } from "../../src/mod.ts";
import type { HostAnswer, HostCalls } from "../../src/ports/guest_host.ts";
import { toBase64, utf8 } from "../../src/protocol/bytes.ts";
import { importSigningKey, type SigningKey } from "../../src/protocol/signing_key.ts";
import { guestComponent } from "../fixtures/guests/guest_component.ts";
import { callPayload } from "../fixtures/guests/probe_guest.ts";
import { until } from "../fixtures/until.ts";

const limit = { timeout: 120_000 };
const hello = utf8("hello");
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const within = { timeoutMs: 30_000 };

/** Who makes the packages. */
const maker = importSigningKey(new Uint8Array(32).fill(9));

/** A package of a test's component, packed, signed and verified as others are. */
async function packed(
  name: "echo" | "probe",
  key: SigningKey,
  parts: Partial<PackageParts> = {},
): Promise<VerifiedPackage> {
  const type = { manufacturer: "acme", name, version: "1.0.0" };
  const binary = await guestComponent(name);
  const bytes = await packPackage({ type, binary, target: "wasm32-wasip2", ...parts }, key);
  return await staticTrust(key.publicKey).verify(bytes, {});
}

/** What a host answers to a probe, by route key; these are routes that no service can have. */
type Answers = Readonly<Record<string, (payload: Uint8Array) => HostAnswer | Promise<HostAnswer>>>;

/** A probe's `on-start` asks its host for a mode, and is told none. */
const calm: Answers = { "on-start": () => ({ ok: new Uint8Array() }) };

/** Where guests run here, with a host that answers. */
function place(more: Answers): GuestPlace {
  const answers = { ...calm, ...more };
  const { quota, host } = guestPlace(systemClock(), new GuestQuota());
  const answered = (calls: HostCalls): HostCalls => {
    return (call) => {
      const answer = "routeKey" in call ? answers[call.routeKey] : undefined;
      return answer !== undefined && call.name === "call" ? answer(call.payload) : calls(call);
    };
  };
  return {
    quota,
    host: (isolation) => ({
      async load(...code) {
        const image = await host(isolation).load(...code);
        return {
          instantiate: (calls, signal) => image.instantiate(answered(calls), signal),
          [Symbol.asyncDispose]: () => image[Symbol.asyncDispose](),
        };
      },
    }),
  };
}

async function serve(
  guest: GuestDefinition,
  options: ServeOptions = {},
  answers: Answers = {},
): Promise<Served> {
  const running = await runningModule();
  const guests = guestRuntime(place(answers));
  const log = running.silentLogger();
  return running.serve(defineNode({ guest }), { port: 0, log, guests, ...options });
}

/** A node with a probe, and a peer of it. */
async function probeNode(
  isolation: GuestIsolation,
  more: Partial<GuestDefinition> = {},
  answers: Answers = {},
) {
  const guest = { package: await packed("probe", await maker), isolation, ...more };
  const node = await serve(guest, {}, answers);
  const peer = await connect(node.url);
  const call = (route: string, payload: Uint8Array = hello) =>
    peer.context.call(node.id, route, payload, within);
  return {
    ...{ node, peer, call },
    async [Symbol.asyncDispose]() {
      await peer.close();
      await node.stop();
    },
  };
}

for (const isolation of ["inline", "worker"] as const) {
  describe(`a component in a node, ${isolation}`, () => {
    it(
      "[G-55] [G-61] [G-63] answers over real sockets, fails as it says, and is made anew after a trap",
      limit,
      async () => {
        await using probe = await probeNode(isolation);
        const { node, call } = probe;
        assert.equal(formatActrType(node.id.type), "acme:probe:1.0.0");
        assert.equal(text(await call("echo")), "hello");
        await assert.rejects(call("no.such.Route"), { code: "unknown_route", wireCode: 10006 });
        assert.equal(new DataView((await call("count")).slice().buffer).getBigUint64(0, true), 1n);
        for (const round of [1, 2]) {
          await assert.rejects(call("trap"), { code: "internal" }, String(round));
          assert.equal(text(await call("echo")), "hello");
        }
        assert.equal(node.node.guest?.status().rebuilds, 2);
        const health = await (await fetch(`${node.url}/health`)).json();
        assert.equal(health.guest.package, "acme:probe:1.0.0");
      },
    );

    it(
      "[G-58] one that computes without end is stopped, and the next call answered",
      limit,
      async () => {
        await using probe = await probeNode(isolation, { limits: { fuel: 2_000_000 } });
        await assert.rejects(
          probe.call("spin"),
          ({ code }) => code === "internal" || code === "timed_out",
        );
        assert.equal(text(await probe.call("echo")), "hello");
      },
    );

    it(
      "[G-68] calls of different keys are in it together, and switch where they ask the node",
      limit,
      async () => {
        let waiting = 0;
        let open = (): void => {};
        const both = new Promise<void>((resolve) => {
          open = resolve;
        });
        const meet = async (): Promise<HostAnswer> => {
          waiting += 1;
          if (waiting === 2) open();
          await both;
          return { ok: hello };
        };
        const methods = { call: { conflictKey: { sender: true } } } as const;
        await using probe = await probeNode(isolation, { methods }, { meet });
        await using other = await connect(probe.node.url);
        const payload = callPayload("meet");
        const answers = await Promise.all([
          probe.call("call", payload),
          other.context.call(probe.node.id, "call", payload, within),
        ]);
        assert.deepEqual(answers.map(text), ["hello", "hello"]);
      },
    );

    it(
      "[G-56] a chunk is handled under the token by which its stream was registered",
      limit,
      async () => {
        const captured: string[] = [];
        await using probe = await probeNode(
          isolation,
          {},
          {
            captured(payload) {
              captured.push(text(payload));
              return { ok: new Uint8Array() };
            },
          },
        );
        await probe.call("capture", utf8("s"));
        const { streams } = probe.peer.context;
        for (const word of ["one", "two"]) {
          await streams.send(probe.node.id, "s", { payload: utf8(word) });
        }
        await until("both chunks are captured", () => captured.length === 2, 30_000);
        assert.match(captured.join(), /one.*two/s);
        assert.equal(text(await probe.call("echo")), "hello");
      },
    );
  });
}

describe("an upgrade under load", () => {
  it(
    "[GD-27] answers every call, by one package or the other, and changes its type with its version",
    limit,
    async () => {
      await using probe = await probeNode("worker");
      const { node, peer } = probe;
      const { guest } = node;
      assert.ok(guest);
      let upgraded = false;
      const answers: number[] = [];
      const calling = Array.from({ length: 4 }, async () => {
        do {
          const count = await probe.call("count");
          answers.push(Number(new DataView(count.slice().buffer).getBigUint64(0, true)));
        } while (!upgraded);
      });
      await until("calls are answered", () => answers.length > 20, 30_000);
      await guest.upgrade(await packed("probe", await maker, { description: "the same again" }));
      await until(
        "it counts anew",
        () => answers.at(-1) === 1 || answers.lastIndexOf(1) > 20,
        30_000,
      );
      upgraded = true;
      await Promise.all(calling);
      const next = { manufacturer: "acme", name: "probe", version: "1.1.0" };
      await guest.upgrade(await packed("probe", await maker, { type: next }));
      assert.equal(guest.package.manifest.version, "1.1.0");
      const [found] = await peer.context.discover("acme:probe:1.1.0");
      assert.deepEqual(found, node.id);
      assert.equal(text(await peer.context.call(node.id, "echo", hello, within)), "hello");
      await guest.rollback();
      assert.equal(formatActrType(node.id.type), "acme:probe:1.0.0");
      assert.equal(text(await peer.context.call(node.id, "echo", hello, within)), "hello");
    },
  );
});

describe("registration of a package at the built-in rendezvous", () => {
  /** A node whose rendezvous knows the maker. */
  async function registering(more: Partial<GuestDefinition>): Promise<Served> {
    const key = await maker;
    const guest = { package: await packed("echo", key, { protos }), ...more };
    const manufacturers = [{ name: "acme", keys: [toBase64(key.publicKey)] }];
    return await serve({ isolation: "inline", ...guest }, { rendezvous: { manufacturers } });
  }
  const source = 'syntax = "proto3"; package echo; message Note { string text = 1; }';
  const protos = new Map([["note.proto", utf8(source)]]);

  it("is proven by its manufacturer, and tells address and protos", limit, async () => {
    await using node = await registering({ proof: await maker });
    await using peer = await connect(node.url);
    const spec = await peer.description("echo");
    assert.deepEqual(
      spec.files.map(({ name, content }) => [name, content]),
      [["note.proto", source]],
    );
    const [found] = await peer.context.discover("acme:echo:1.0.0");
    assert.ok(found);
    assert.equal(text(await peer.context.call(found, "any", hello, within)), "hello");
  });

  it("[G-53] is refused without proof or publication, with the server's code", limit, async () => {
    await assert.rejects(registering({ registersAs: "package" }), {
      code: "registration",
      message: /code 403/,
    });
  });
});
