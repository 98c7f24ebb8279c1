import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { MemoryStore } from "../../adapters/memory/memory_store.ts";
import { temporaryFolder } from "../adapters/temporary_folder.ts";
import { root } from "../tools/root.ts";
import { roost } from "../unit/cli/support.ts";
import { Roost, runtimes } from "./cli_process.ts";
import { Running } from "./rendezvous_server.ts";

const folder = join(root, "examples/guest-script");
const waiting = ["--timeout", "60000"];

/** Runs a command in this process, which must succeed; what it printed. */
async function done(...args: string[]): Promise<string> {
  const { code, out, err } = await roost(args, { cwd: root });
  assert.equal(code, 0, err);
  return out;
}

describe("examples/guest-script", { timeout: 240_000 }, () => {
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let rendezvous: Running;
  const at = (name: string): string => join(place.path, name);
  const identity = (): string[] => ["--identity", `${rendezvous.base}/ais`];

  before(async () => {
    place = await temporaryFolder();
    const build = ["--import", "tsx", join(folder, "build.ts")];
    const built = spawnSync(process.execPath, build, { cwd: root, encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
    const { publicKey } = JSON.parse(await done("keys", at("key.json"), "--json"));
    const key = ["--key", at("key.json")];
    await done("pack", folder, "--out", at("guest.actr"), ...key);
    const manufacturers = [{ name: "acme", keys: [publicKey] }];
    rendezvous = await Running.start(new MemoryStore(), { manufacturers });
    await done("publish", at("guest.actr"), ...key, ...identity());
  });
  after(async () => {
    await rendezvous[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  for (const runtime of runtimes) {
    it(`is served on ${runtime}, packed and published as its README says`, async () => {
      const store = ["--store", at(`${runtime}.db`), "--port", "0", "--json"];
      const trust = ["--trust-registry", rendezvous.base, ...identity()];
      const serve = ["serve", "--package", at("guest.actr"), ...trust, ...store];
      await using node = new Roost(runtime, serve);
      const { id } = (await node.addresses()).node;
      assert.match(node.err + node.out, /starts as EchoService/);
      const proto = ["--proto", join(root, "examples/echo/echo.proto")];
      const request = ["--json", '{"message":"hi"}', ...proto, ...identity(), ...waiting];
      for (const count of [1, 2]) {
        const answer = await done("call", id, "echo.EchoService.Echo", ...request);
        assert.deepEqual(JSON.parse(answer), { reply: `Echo ${count}: hi` });
      }
    });
  }
});
