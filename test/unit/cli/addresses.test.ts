import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseActrId } from "@roost/edge";
import type { Served } from "../../../adapters/serve/options.ts";
import { type AddressOptions, printAddresses } from "../../../src/cli/addresses.ts";
import type { World } from "../../../src/cli/command.ts";

const served = {
  url: "http://127.0.0.1:8080",
  identity: "http://127.0.0.1:8080/ais",
  id: parseActrId("1@1001/acme:App:1.0.0"),
} as Served;

function printed(options: Partial<AddressOptions>): string[] {
  const lines: string[] = [];
  const world = { out: (line: string) => void lines.push(line) } as unknown as World;
  printAddresses(served, { store: "memory", json: false, inspects: false, ...options }, world);
  return lines;
}

describe("the addresses that dev and serve show", () => {
  it("name the inspector's page, with a token that was made up behind its #", () => {
    const lines = printed({ inspects: true, inspectToken: "abc" }).slice(-2);
    assert.deepEqual(lines, [
      "  inspect     http://127.0.0.1:8080/inspect#token=abc",
      "              ROOST_INSPECT_TOKEN=abc for roost mailbox, dlq and alarms",
    ]);
    const [json = ""] = printed({ inspects: true, inspectToken: "abc", json: true });
    assert.deepEqual(JSON.parse(json).inspect, {
      url: "http://127.0.0.1:8080/inspect",
      token: "abc",
    });
  });

  it("never tell a token that was configured, and no page where there is none", () => {
    const last = printed({ inspects: true }).at(-1);
    assert.equal(
      last,
      "  inspect     http://127.0.0.1:8080/inspect asks for your inspection token",
    );
    assert.ok(printed({}).every((line) => !line.includes("inspect")));
    const [json = ""] = printed({ json: true });
    assert.equal(JSON.parse(json).inspect, undefined);
  });
});
