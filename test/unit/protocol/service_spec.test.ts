import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EchoService } from "../../../examples/echo/echo_pb.ts";
import { describedSpec } from "../../../src/protocol/fingerprint/described_spec.ts";
import {
  fileFingerprint,
  serviceFingerprint,
} from "../../../src/protocol/fingerprint/fingerprint.ts";
import { serviceSpec } from "../../../src/protocol/fingerprint/service_spec.ts";
import { encode, ServiceSpecSchema } from "../../../src/protocol/schema.ts";
import { compiledService } from "../../fixtures/compiled.ts";
import { ProbeService } from "../../fixtures/probe_pb.ts";

const head = { name: "Echo", publishedAt: 1_700_000_000 };

describe("descriptions of services", () => {
  it("have each file once, with its fingerprint, and the fingerprint of all", async () => {
    const spec = await serviceSpec([EchoService, ProbeService, EchoService], head);
    assert.deepEqual(
      spec?.protobufs?.map((file) => file.package),
      ["echo", "probe"],
    );
    const files = await Promise.all(
      [EchoService, ProbeService].map(async ({ file }, at) => ({
        name: ["echo.proto", "probe.proto"][at] ?? "",
        fingerprint: await fileFingerprint(file.proto),
      })),
    );
    assert.deepEqual(
      spec?.protobufs?.map((file) => file.fingerprint),
      files.map(({ fingerprint }) => fingerprint),
    );
    assert.equal(spec?.fingerprint, await serviceFingerprint(files));
    assert.ok(encode(ServiceSpecSchema, spec ?? {}).length > 0);
    assert.deepEqual([spec?.publishedAt, spec?.tags, spec?.name], [1_700_000_000n, [], "Echo"]);
    assert.equal(spec !== undefined && "description" in spec, false);
  });

  it("have what the files import too; without folders, unless two are called the same", async () => {
    const shared = { name: "deep/shared.proto" };
    const one = { name: "one/x.proto", imports: [shared.name] };
    const other = { name: "other/x.proto", imports: [one.name], services: ["S"] };
    const spec = await serviceSpec([compiledService([shared, one, other])], head);
    assert.deepEqual(
      spec?.protobufs?.map((file) => file.package),
      ["other/x", "one/x", "shared"],
    );
  });

  it("name files without the end that tells what they are, however often it is there", async () => {
    const source = { content: "", fingerprint: "semantic:00" };
    const names = ["a.proto", "a.proto.proto", "b.protos"];
    const files = names.map((name) => ({ name, ...source }));
    const { protobufs } = await describedSpec(files, head);
    assert.deepEqual(
      protobufs?.map((file) => file.package),
      ["a", "a", "b.protos"],
    );
  });

  it("are none where nothing is served, and refused to files that have no fingerprint", async () => {
    assert.equal(await serviceSpec([], head), undefined);
    const odd = compiledService([{ name: "odd.proto", syntax: "editions", services: ["S"] }]);
    await assert.rejects(serviceSpec([odd], head), {
      code: "invalid_argument",
      message: /edition/,
    });
  });
});
