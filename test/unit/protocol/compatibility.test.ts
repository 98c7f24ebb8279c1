import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  compareServices,
  type FileChange,
  isCompatible,
} from "../../../src/protocol/fingerprint/compatibility.ts";
import { describedFile } from "../../../src/protocol/fingerprint/described_file.ts";
import {
  fileFingerprint,
  serviceFingerprint,
} from "../../../src/protocol/fingerprint/fingerprint.ts";
import { protoFileJson } from "../../../src/protocol/fingerprint/proto_file.ts";
import vectors from "../../vectors/fingerprints.json" with { type: "json" };

type Sources = Readonly<Record<string, string>>;

function files(sources: Sources) {
  return Object.entries(sources).map(([name, text]) =>
    describedFile(protoFileJson(name, `syntax="proto3";package p;${text}`)),
  );
}

const base = "message A{string a=1;int32 b=2;message In{string x=1;}}enum E{Z=0;Y=1;}";
const service = "message B{}message C{}service S{rpc Do(B)returns(C);}";

// Section 10.5: what became of a file, and whether callers of the old one are still served.
const rows: readonly [what: string, before: Sources, after: Sources, FileChange[], boolean][] = [
  [
    "a file is missing",
    { "a.proto": base, "b.proto": service },
    { "a.proto": base },
    ["same", "removed"],
    false,
  ],
  [
    "a file was added",
    { "a.proto": base },
    { "a.proto": base, "b.proto": service },
    ["same", "added"],
    true,
  ],
  [
    "nothing but layout has changed",
    { "a.proto": base },
    { "a.proto": `\n// why\n ${base}` },
    ["same"],
    true,
  ],
  [
    "a field was added",
    { "a.proto": base },
    { "a.proto": base.replace("int32 b=2;", "int32 b=2;bool c=3;") },
    ["compatible"],
    true,
  ],
  [
    "a message was added",
    { "a.proto": base },
    { "a.proto": `${base}message New{}` },
    ["compatible"],
    true,
  ],
  [
    "a method was added",
    { "a.proto": service },
    { "a.proto": service.replace("rpc", "rpc New(B)returns(C);rpc") },
    ["compatible"],
    true,
  ],
  [
    "a service was added",
    { "a.proto": service },
    { "a.proto": `${service}service T{}` },
    ["compatible"],
    true,
  ],
  [
    "a field has another name",
    { "a.proto": base },
    { "a.proto": base.replace("a=1", "z=1") },
    ["compatible"],
    true,
  ],
  [
    "a field has another label",
    { "a.proto": base },
    { "a.proto": base.replace("int32 b", "repeated int32 b") },
    ["compatible"],
    true,
  ],
  [
    "an enum has changed",
    { "a.proto": base },
    { "a.proto": base.replace("Y=1", "Y=2") },
    ["compatible"],
    true,
  ],
  [
    "a nested message has changed",
    { "a.proto": base },
    { "a.proto": base.replace("string x=1", "bool x=1") },
    ["compatible"],
    true,
  ],
  [
    "a method streams its answers",
    { "a.proto": service },
    { "a.proto": service.replace("(C)", "(stream C)") },
    ["compatible"],
    true,
  ],
  [
    "a field is gone",
    { "a.proto": base },
    { "a.proto": base.replace("int32 b=2;", "") },
    ["breaking"],
    false,
  ],
  [
    "a field has another type",
    { "a.proto": base },
    { "a.proto": base.replace("int32 b", "int64 b") },
    ["breaking"],
    false,
  ],
  [
    "a field has another number",
    { "a.proto": base },
    { "a.proto": base.replace("b=2", "b=3") },
    ["breaking"],
    false,
  ],
  [
    "a message is gone",
    { "a.proto": base },
    { "a.proto": "enum E{Z=0;Y=1;}" },
    ["breaking"],
    false,
  ],
  [
    "a method is gone",
    { "a.proto": service },
    { "a.proto": service.replace("rpc Do(B)returns(C);", "") },
    ["breaking"],
    false,
  ],
  [
    "a method takes another message",
    { "a.proto": service },
    { "a.proto": service.replace("Do(B)", "Do(C)") },
    ["breaking"],
    false,
  ],
  [
    "a method answers another message",
    { "a.proto": service },
    { "a.proto": service.replace("(C)", "(B)") },
    ["breaking"],
    false,
  ],
  [
    "a service is gone",
    { "a.proto": service },
    { "a.proto": "message B{}message C{}" },
    ["breaking"],
    false,
  ],
  [
    "the worst of several files counts",
    { "a.proto": base, "b.proto": service },
    { "a.proto": `${base}message New{}`, "b.proto": "" },
    ["compatible", "breaking"],
    false,
  ],
];

describe("compatibility of services", () => {
  for (const [what, before, after, changes, compatible] of rows) {
    it(`${what}: ${changes.join(", ")}`, async () => {
      const found = await compareServices(files(before), files(after));
      assert.deepEqual(
        found.map(({ change }) => change),
        changes,
      );
      assert.equal(isCompatible(found), compatible);
      for (const { change, missing } of found) {
        const told = change === "breaking" || change === "removed";
        assert.equal(missing.length > 0, told, change);
      }
    });
  }
});

describe("fingerprints of the worked examples", () => {
  // Section 10.4, (a) to (c), without the prefixes.
  const examples = [
    [
      "echo.proto",
      "94251c55ce69cc88b6e7ac77dc3a1fc3a8c899856ff47661ebca0f0cfe6cd317",
      "0d0d204d724cafc1cb8fd5d6f68ca683d9f6546c6e70deab75781a2f4230a755",
    ],
    [
      "stream_server.proto",
      "ebcc9ee84bfc0610aea904fdc44d5eb7ef584fccd6d5498c1a22cd30ecec8355",
      "8cd6382d374752af9f3ad1488cb4d465dd0fc1a8e22b69eee6e5a75d793d0708",
    ],
    [
      "file_transfer.proto",
      "51fda7fe99eb7db0f34eeee37f3ba7ea99a55cdc077f41aa67b8453a3fd51b5a",
      "fa2192cdb7b39bf280de5b2f579db5b9f5b5947dbe6697136c40434942a78fd9",
    ],
  ] as const;
  for (const [name, semantic, whole] of examples) {
    it(`[V-fingerprints.verified_against_recorded_upstream_values] of ${name} are ${semantic.slice(0, 8)}… and ${whole.slice(0, 8)}…`, async () => {
      const { proto = "" } =
        vectors.verified_against_recorded_upstream_values.find(({ file }) => file === name) ?? {};
      const file = describedFile(protoFileJson(name, proto));
      assert.equal(await fileFingerprint(file), `semantic:${semantic}`);
      const service = await serviceFingerprint([{ name, fingerprint: `semantic:${semantic}` }]);
      assert.equal(service, `service_semantic:${whole}`);
    });
  }
});
