import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import type { VerifiedPackage } from "../../../src/guest/package/verified_package.ts";
import { utf8 } from "../../../src/protocol/bytes.ts";
import { sourceSpec } from "../../../src/protocol/fingerprint/source_spec.ts";
import { echo } from "../../fixtures/fake_guest_host.ts";
import { RecordingLogger } from "../identity/support.ts";
import { guestNode, verified } from "./workload_support.ts";

const limit = { timeout: 60_000 };
const within = () => ({ signal: AbortSignal.timeout(60_000) });
const head = { name: "echo", publishedAt: 5 };

/** The worked example of `spec/protocol.md` §10.4, laid out in another way. */
const echoProto = `syntax = "proto3"; package echo; // says it again
message EchoRequest { string message = 1; }
message EchoResponse { string reply = 1; uint64 timestamp = 2; }
service EchoService { rpc Echo(EchoRequest) returns (EchoResponse); }`;

const sources = (...files: [string, string][]): Map<string, Uint8Array> =>
  new Map(files.map(([name, text]) => [name, utf8(text)]));

describe("what a guest's package tells of it", () => {
  it("are its protos as they stand, with the fingerprints that Actr's tools give them", async () => {
    const spec = await sourceSpec(sources(["echo.proto", echoProto]), head);
    assert.equal(
      spec?.fingerprint,
      "service_semantic:0d0d204d724cafc1cb8fd5d6f68ca683d9f6546c6e70deab75781a2f4230a755",
    );
    assert.deepEqual(spec.protobufs, [
      {
        package: "echo",
        content: echoProto,
        fingerprint: "semantic:94251c55ce69cc88b6e7ac77dc3a1fc3a8c899856ff47661ebca0f0cfe6cd317",
      },
    ]);
    assert.deepEqual([spec.name, spec.publishedAt, spec.tags], ["echo", 5n, []]);
    assert.equal(await sourceSpec(new Map(), head), undefined);
  });

  it("[GD-21] is bounded", async () => {
    const many = Array.from({ length: 257 }, (_, at): [string, string] => [
      `${at}.proto`,
      echoProto,
    ]);
    await assert.rejects(sourceSpec(sources(...many), head), {
      code: "invalid_argument",
      message: /^257 files of \d+ bytes: at most 256 files of 1048576 bytes/,
    });
    const long = echoProto + " ".repeat(1024 * 1024);
    await assert.rejects(sourceSpec(sources(["long.proto", long]), head), /at most 256 files/);
    const wrong = new Map([["wrong.proto", Uint8Array.of(0xff)]]);
    await assert.rejects(sourceSpec(wrong, head), { message: "wrong.proto is no UTF-8" });
  });

  it(
    "is asked for by its name; one that cannot be described is left out, and runs",
    limit,
    async () => {
      const log = new RecordingLogger();
      const described: VerifiedPackage = {
        ...verified({ metadata: { description: "says it again" } }),
        protos: sources(["echo.proto", echoProto]),
      };
      const spec = { tags: ["stable"] };
      await using t = await guestNode(echo, { guest: { package: described }, init: { spec }, log });
      const { signaling } = t.node.presence;
      const told = await signaling.getServiceSpec("echo", within());
      assert.deepEqual([told.description, told.tags], ["says it again", ["stable"]]);
      assert.deepEqual(
        told.files.map(({ content }) => content),
        [echoProto],
      );
      const odd = { ...verified(), protos: sources(["odd.proto", "no proto"]) };
      await using other = await guestNode(echo, { guest: { package: odd }, log });
      assert.equal(other.node.phase, "running");
      const [left] = log.records.filter(({ event }) => event === "identity.description.left_out");
      assert.match(String(left?.attributes["reason"]), /odd.proto is no .proto source/);
    },
  );

  it("is what it was built against: it finds those types alone", limit, async () => {
    const dependency = `[[dependency]]\nname = "shop"\nactr_type = "acme:shop:1.0.0"\nfingerprint = "service_semantic:${"0".repeat(64)}"\n`;
    const locked = { ...verified(), lockFile: utf8(`[metadata]\nversion = 1\n${dependency}`) };
    await using t = await guestNode(echo, { guest: { package: locked } });
    await assert.rejects(t.context.discover("acme:shop:1.0.0"), { code: "not_found" });
    await assert.rejects(t.context.discover("acme:other:1.0.0"), { code: "dependency_not_found" });
    const acl = [{ permission: "allow", type: "acme:caller:1.0.0" }] as const;
    await using upgraded = await guestNode(echo, { init: { acl } });
    const { upgrades, presence } = upgraded.node;
    const restated = mock.method(presence, "restate");
    await upgrades?.upgrade(locked);
    const rules = restated.mock.calls[0]?.arguments[0].acl;
    assert.match(JSON.stringify(rules), /shop/, "what it calls may answer");
    const other = upgraded.context.discover("acme:other:1.0.0");
    await assert.rejects(other, { code: "dependency_not_found" });
    const broken = { ...verified(), lockFile: utf8("[[dependency]]\n") };
    await assert.rejects(guestNode(echo, { guest: { package: broken } }), { code: "config" });
  });
});
