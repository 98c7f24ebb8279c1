import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { MemoryStore } from "../../../adapters/memory/memory_store.ts";
import { SeededRandom } from "../../../adapters/memory/seeded_random.ts";
import { type Published, publishPackage } from "../../../src/cli/guest/registry_client.ts";
import type { PackageParts } from "../../../src/guest/package/package_parts.ts";
import { verifyPackage } from "../../../src/guest/package/verify.ts";
import { trustRefusalOf } from "../../../src/guest/trust/refusal.ts";
import type { RegistryComponents } from "../../../src/guest/trust/registry_http.ts";
import { registryTrust } from "../../../src/guest/trust/registry_trust.ts";
import { toBase64, utf8 } from "../../../src/protocol/bytes.ts";
import { Rendezvous } from "../../../src/rendezvous/rendezvous.ts";
import { Lines } from "../../integration/rendezvous_server.ts";
import { Signer } from "../guest/trust/signer.ts";

const adminToken = "an-operator-s-token";
const [acme, other] = [await Signer.from(0x2b), await Signer.from(0x2c)];
const endpoint = "http://server/ais";

/** A rendezvous that knows acme's key, asked without a network. */
class Server implements AsyncDisposable {
  readonly components: RegistryComponents;
  readonly #rendezvous: Rendezvous;

  private constructor(rendezvous: Rendezvous, clock: FakeClock) {
    this.#rendezvous = rendezvous;
    this.components = { clock, fetch: (url, init) => this.ask(url, init) };
  }

  static async open(): Promise<Server> {
    const manufacturers = [{ name: "acme", keys: [toBase64(acme.key.publicKey)] }];
    const [store, clock, log] = [new MemoryStore(), new FakeClock(), new Lines()];
    const components = { store, clock, random: new SeededRandom(), log };
    return new Server(await Rendezvous.open(components, { manufacturers, adminToken }), clock);
  }

  async ask(url: string, init: RequestInit): Promise<Response> {
    return await this.#rendezvous.fetch(new Request(url, init), { remoteAddress: "10.0.0.9" });
  }

  async operate(path: string, body: object): Promise<void> {
    const headers = { authorization: `Bearer ${adminToken}` };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await this.ask(`http://server/admin${path}`, init);
    assert.ok(response.ok, await response.text());
  }

  async publish(by: Signer, parts: Partial<PackageParts> = {}): Promise<Published> {
    const verified = await verifyPackage(await by.pack(parts), by.key.publicKey);
    const task = { endpoint, verified, key: by.key, timeoutMs: 30_000 };
    return await publishPackage(this.components, task);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rendezvous[Symbol.asyncDispose]();
  }
}

const version = (text: string): Partial<PackageParts> => ({
  type: { manufacturer: "acme", name: "Echo", version: text },
});

describe("roost publish", () => {
  it("publishes a package with its protos, which the rendezvous then knows", async () => {
    await using server = await Server.open();
    const protos = new Map([["echo.proto", utf8('syntax = "proto3"; // ü')]]);
    const published = { type: "acme:Echo:1.0.0", target: "roost-script", status: "active" };
    assert.deepEqual(await server.publish(acme, { protos }), published);
    assert.equal((await server.publish(acme, version("1.0.1"))).type, "acme:Echo:1.0.1");
  });

  it("[GD-26] says that a version is published for ever, also one that was revoked", async () => {
    await using server = await Server.open();
    await server.publish(acme);
    const again = {
      code: "invalid_argument",
      message:
        /answered 409.*; acme:Echo:1\.0\.0 for roost-script .* even when it is revoked; raise/,
    };
    await assert.rejects(server.publish(acme), again);
    const revoked = { type: "acme:Echo:1.0.0", target: "roost-script" };
    await server.operate("/packages/revoke", revoked);
    await assert.rejects(server.publish(acme), again);
    await server.publish(acme, version("1.0.1"));
  });

  it("says what helps where a key is not known, or does not count", async () => {
    await using server = await Server.open();
    const type = { manufacturer: "umbrella", name: "Echo", version: "1.0.0" };
    const stranger = {
      code: "not_found",
      message: new RegExp(`answered 404: .*; have the key ${other.keyId} added .* for umbrella`),
    };
    await assert.rejects(server.publish(other, { type }), stranger);
    await assert.rejects(server.publish(other), { code: "not_found" });
    await server.operate(`/manufacturers/umbrella/keys`, {
      publicKey: toBase64(other.key.publicKey),
    });
    await server.publish(other, { type });
    await server.operate(`/manufacturers/umbrella/keys/${other.keyId}/revoke`, {});
    await assert.rejects(server.publish(other, { type }), { code: "not_found" });
  });

  it("says that nobody answers, or somebody else", async () => {
    const verified = await verifyPackage(await acme.pack(), acme.key.publicKey);
    const clock = new FakeClock();
    const task = { endpoint, verified, key: acme.key, timeoutMs: 1_000 };
    const publish = (fetch: RegistryComponents["fetch"]) => publishPackage({ fetch, clock }, task);
    const down = publish(() => Promise.reject(new TypeError("no route")));
    const nobody = /^http:\/\/server\/mfr\/pkg\/nonce does not answer: no route; name the identity/;
    await assert.rejects(down, { code: "unavailable", message: nobody });
    for (const text of ["<html>", "[]", '{"nonce":1}', '{"nonce":"***"}']) {
      const odd = { code: "unavailable", message: /an answer that no registry gives$/ };
      await assert.rejects(
        publish(async () => new Response(text)),
        odd,
      );
    }
    const busy = publish(async () => new Response("{}", { status: 503 }));
    await assert.rejects(busy, { code: "unavailable", message: /answered 503; see the log/ });
    const silent = assert.rejects(
      publish(() => new Promise(() => {})),
      { code: "timed_out" },
    );
    await clock.advance(1_000);
    await silent;
  });
});

describe("trust in a rendezvous", () => {
  it("goes by the keys that it has for manufacturers, until they are revoked", async () => {
    await using server = await Server.open();
    const trust = () => registryTrust({ ...server.components, endpoint });
    assert.equal((await trust().verify(await acme.pack(), {})).keyId, acme.keyId);
    const wrong = (error: unknown): boolean => trustRefusalOf(error) === "untrusted_manufacturer";
    await assert.rejects(trust().verify(await other.pack(), {}), wrong);
    const type = { manufacturer: "umbrella", name: "Echo", version: "1.0.0" };
    const bytes = await other.pack({ type });
    await server.operate("/manufacturers/umbrella/keys", {
      publicKey: toBase64(other.key.publicKey),
    });
    await trust().verify(bytes, {});
    await server.operate(`/manufacturers/umbrella/keys/${other.keyId}/revoke`, {});
    await assert.rejects(trust().verify(bytes, {}), wrong);
  });
});
