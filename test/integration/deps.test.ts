import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { silentLogger } from "../../adapters/console/console_logger.ts";
import type { Served, ServedRendezvous } from "../../adapters/serve/options.ts";
import { type AnyService, defineNode } from "../../src/define.ts";
import { fileFingerprint } from "../../src/protocol/fingerprint/fingerprint.ts";
import { parseLock } from "../../src/protocol/manifest/lock.ts";
import { serviceOfSource } from "../fixtures/compiled.ts";
import { adapter } from "../fixtures/runtimes.ts";
import { roost } from "../unit/cli/support.ts";

const source = (fields: string): string =>
  `syntax="proto3";package shop;message Order{${fields}}service Shop{rpc Buy(Order)returns(Order);}`;
const type = "acme:Shop:1.0.0";
const endpoint = { port: 0, hostname: "127.0.0.1", log: silentLogger() };

describe("dependencies of a package and nodes that serve them", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "roost-live-deps-"));
  let rendezvous: ServedRendezvous;
  let node: Served | undefined;
  before(async () => {
    rendezvous = await (await adapter()).rendezvous(endpoint);
    const manifest = `[package]\nname="Page"\nmanufacturer="acme"\nversion="1.0.0"\n[dependencies]\nshop={actr_type="${type}"}\n`;
    writeFileSync(join(folder, "manifest.toml"), manifest);
  });
  after(async () => {
    await node?.stop();
    await rendezvous.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const deps = (...args: string[]) =>
    roost(["deps", ...args, "--identity", rendezvous.identity, "--timeout", "30000"], {
      cwd: folder,
    });
  /** Serves these messages in place of those before. Only who may find it does. */
  const serve = async (
    fields: string,
    name = "shop.proto",
  ): Promise<ReturnType<typeof serviceOfSource>> => {
    await node?.stop();
    const descriptor = serviceOfSource(name, source(fields));
    const handlers = { buy: (order: unknown) => order };
    const shop = { kind: "service", descriptor, handlers } as unknown as AnyService;
    const app = defineNode({
      type,
      services: [shop],
      spec: { description: "sells", tags: ["stable"] },
      acl: [{ permission: "allow", type: "acme:Page:1.0.0" }],
    });
    node = await (await adapter()).serve(app, { ...endpoint, identity: rendezvous.identity });
    return descriptor;
  };

  it("are locked as they are announced, with their files, and checked against what is announced later", async () => {
    const absent = await deps("lock");
    assert.deepEqual([absent.code, absent.out], [1, ""]);
    assert.match(absent.err, /nothing tells what shop, acme:Shop:1\.0\.0, means/);

    const { file } = await serve("int32 a=1;string b=2;");
    const locking = await deps("lock");
    assert.equal(locking.code, 0, locking.err);
    assert.match(
      locking.out,
      /^shop {2}acme:Shop:1\.0\.0 {2}new\n {2}service_semantic:[0-9a-f]{64}$/,
    );
    const [entry] = parseLock(
      readFileSync(join(folder, "manifest.lock.toml"), "utf8"),
    ).dependencies;
    assert.deepEqual([entry?.description, entry?.tags], ["sells", ["stable"]]);
    assert.deepEqual(entry?.files, [
      { path: "protos/remote/shop/shop.proto", fingerprint: await fileFingerprint(file.proto) },
    ]);
    const kept = readFileSync(join(folder, "protos/remote/shop/shop.proto"), "utf8");
    assert.match(kept, /message Order \{\n {2}int32 a = 1;/);
    assert.equal((await deps("check")).out, "shop  acme:Shop:1.0.0  exact");

    await serve("int32 a=1;string b=2;bool c=3;");
    const more = await deps("check");
    assert.deepEqual(
      [more.code, more.out.split("\n")],
      [0, ["shop  acme:Shop:1.0.0  compatible", "  shop.proto: compatible"]],
    );

    await serve("int64 a=1;");
    const broken = await deps("check");
    assert.equal(broken.code, 1);
    assert.deepEqual(broken.out.split("\n"), [
      "shop  acme:Shop:1.0.0  breaking",
      "  shop.proto: breaking",
      "    field 1 of Order is int64, and was int32",
      "    field 2 of Order, which was string, is gone",
    ]);
    const again = await deps("lock");
    assert.match(again.out, /breaking\n {2}shop\.proto: breaking/);
    assert.equal((await deps("check")).out, "shop  acme:Shop:1.0.0  exact");

    await serve("int64 a=1;", "store.proto");
    assert.match((await deps("lock")).out, /breaking\n {2}shop\.proto: removed/);
    assert.deepEqual(readdirSync(join(folder, "protos/remote/shop")), ["store.proto"]);
    assert.match((await deps("check", "--offline")).out, /exact$/);

    await node?.stop();
    assert.match((await deps("check")).out, /absent\n/);
  });
});
