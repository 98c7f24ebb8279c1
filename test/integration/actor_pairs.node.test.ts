import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../adapters/node/mod.ts";
import type { Peer } from "../../adapters/serve/options.ts";
import type { CallingApp } from "../fixtures/calling_node.ts";
import { Program, type RuntimeName, runtimeNames } from "../fixtures/runtimes.ts";

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

const typeOf = (runtime: RuntimeName): string => `test:Calling-${runtime}:1.0.0`;

describe("actors on every runtime, in processes of their own", () => {
  let rendezvous: Program;
  let nodes: Program[];
  const peers = new Map<RuntimeName, Peer<CallingApp>>();

  before(async () => {
    rendezvous = new Program("node", fixture("rendezvous_program.ts"), []);
    const { identity } = await rendezvous.line<{ identity: string }>(60_000);
    nodes = runtimeNames.map(
      (runtime) =>
        new Program(runtime, fixture("calling_node.ts"), [typeOf(runtime), identity, runtime]),
    );
    await Promise.all(nodes.map((node) => node.line(60_000)));
    for (const runtime of runtimeNames) {
      peers.set(runtime, await connect<CallingApp>(identity, { actorsAt: typeOf(runtime) }));
    }
  });

  after(async () => {
    await Promise.all([...peers.values()].map((peer) => peer.close()));
    await Promise.all([...(nodes ?? []), rendezvous].map((one) => one?.kill()));
  });

  for (const here of runtimeNames) {
    for (const there of runtimeNames.filter((name) => name !== here)) {
      it(`${here} calls ${there}, which calls back who waits for it, and so on`, async () => {
        const actors = peers.get(here)?.actors;
        assert.ok(actors);
        const subject = actors.caller.get(`${here} and ${there}`);
        const way = { hops: 6, to: typeOf(there), from: typeOf(here) };
        const path = [here, there, here, there, here, there, here];
        assert.deepEqual(await subject.bounce(way), path);
        assert.equal(await subject.visits(), 4);
      });
    }
  }
});
