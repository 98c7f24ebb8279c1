import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commands } from "../../../src/cli/commands/mod.ts";
import { failureLines } from "../../../src/cli/failure.ts";
import { ActrError } from "../../../src/errors.ts";
import { version } from "../../../src/version.ts";
import { roost } from "./support.ts";

const shown = commands.filter((command) => command.hidden !== true);

describe("roost", () => {
  it("lists its commands without one, and under --help", async () => {
    for (const args of [[], ["--help"], ["-h"], ["help"]]) {
      const { code, out } = await roost(args);
      assert.equal(code, 0);
      for (const { name, summary } of shown)
        assert.ok(out.includes(`${name} `) && out.includes(summary));
      assert.doesNotMatch(out, /dev-node/);
    }
    assert.deepEqual(await roost(["--version"]), { code: 0, out: version, err: "" });
    assert.deepEqual(await roost(["--", "--version"]), { code: 0, out: version, err: "" });
  });

  for (const { name, options, example } of shown) {
    it(`${name} --help names its arguments, every option and an example`, async () => {
      const { code, out } = await roost([name, "--help"]);
      assert.equal(code, 0);
      for (const option of [...Object.keys(options), "json", "verbose"]) {
        assert.match(out, new RegExp(`  --${option}\\b`));
      }
      assert.ok(out.includes(`Usage: roost ${name}`) && out.includes(example));
      assert.deepEqual(await roost([name, "-h"]), { code, out, err: "" });
      assert.deepEqual(await roost(["help", name]), { code, out, err: "" });
    });
  }

  const misuses: readonly (readonly [readonly string[], string])[] = [
    [["cal"], "roost: unknown command cal. Did you mean call?"],
    [["--port", "1", "dev"], "roost: --port stands before a command; write roost COMMAND --port"],
    [["dev", "--prot", "1"], "roost: unknown option --prot. Did you mean --port?"],
    [["dev", "--zzzzzz"], "roost: unknown option --zzzzzz. roost dev --help lists them."],
    [["dev", "--constructor"], "roost: unknown option --constructor. roost dev --help lists them."],
    [["serve"], "roost: name an app, such as app.ts, or a package: --package FILE.actr"],
    [["discover", "a:b:c", "d"], "roost: unexpected argument d: expected TYPE"],
    [["rendezvous", "x"], "roost: unexpected argument x: expected none"],
    [["rendezvous", "--port"], "roost: --port needs a value: --port N"],
    [["rendezvous", "--port", "--host"], "roost: --port needs a value: --port N"],
    [["rendezvous", "--json=1"], "roost: --json takes no value, but got 1"],
    [
      ["rendezvous", "--port", "70000"],
      'roost: --port is "70000"; a port is a whole number from 0 to 65535',
    ],
    [
      ["rendezvous", "--realm", "x:y"],
      'roost: --realm is "x"; a realm is a whole number from 0 to 4294967295',
    ],
    [
      ["rendezvous", "--realm", "1:"],
      "roost: --realm has an empty secret, or one with spaces around it; write ID:SECRET",
    ],
    [["discover", "a:b:c", "--count", "0"], "roost: --count is 0; it is a whole number above 0"],
    [["ping", "a:b:c", "--count", "x"], "roost: --count is x; it is a whole number above 0"],
    [
      ["ping", "a:b:c", "--interval", "0"],
      "roost: --interval is 0; it is a number of milliseconds above 0",
    ],
    [
      ["discover", "a:b:c", "--timeout", "x"],
      "roost: --timeout is x; it is a number of milliseconds above 0",
    ],
    [["serve", "nothing.ts"], "roost: there is no nothing.ts; name the file of an app"],
    [
      ["call", "a:b:c", "x.Y.Z", "--proto", "no.proto"],
      "roost: --proto is /nowhere/no.proto, but there is no such file",
    ],
    [
      ["call", "a:b:c", "x.Y.Z", "--proto", "no.bin"],
      "roost: --proto is no.bin, but that cannot be read",
    ],
  ];
  for (const [args, line] of misuses) {
    it(`answers 2 and one line to: roost ${args.join(" ")}`, async () => {
      assert.deepEqual(await roost(args), { code: 2, out: "", err: line });
    });
  }

  it("answers 2 to a request that is no JSON, and 1 to a route without a method", async () => {
    const bad = await roost(["call", "a:b:c", "x.Y.Z", "--json", "{"]);
    assert.equal(bad.code, 2);
    assert.match(bad.err, /^roost: --json is \{, which is no JSON: [^\n]+$/);
    const route = await roost(["call", "a:b:c", "Echo"]);
    assert.deepEqual([route.code, route.out], [1, ""]);
    assert.match(route.err, /^roost: invalid_argument: route Echo [^\n]+package\.Service\.Method$/);
  });

  it("tells machines of errors in JSON, but not where --json carries a message", async () => {
    const { code, err } = await roost(["rendezvous", "--json", "--port", "x"]);
    assert.equal(code, 2);
    assert.equal(JSON.parse(err).error.code, "misuse");
    assert.match((await roost(["call", "--json", "{}"])).err, /^roost: an argument is missing/);
  });
});

describe("a failure", () => {
  const error = new ActrError("not_found", "nothing\n  here", { cause: new Error("deep") });

  it("is one line with its code", () => {
    assert.deepEqual(failureLines(error, { json: false, verbose: false }), [
      "roost: not_found: nothing here",
    ]);
    assert.deepEqual(failureLines("text", { json: false, verbose: false }), [
      "roost: internal: text",
    ]);
  });

  it("steers no terminal, whatever a peer has said", () => {
    const hostile = new ActrError("overloaded", "\u001b[31mred\u001b[0m \u001b[2Jgone\u009b1A");
    assert.equal(
      failureLines(hostile, { json: false, verbose: false })[0],
      "roost: overloaded: red  [2Jgone 1A",
    );
    const all = failureLines(hostile, { json: false, verbose: true });
    assert.ok(all.every((line) => !/\p{Cc}/u.test(line)));
  });

  it("shows stack and cause only when asked for", () => {
    const lines = failureLines(error, { json: false, verbose: true });
    assert.equal(lines[0], "roost: not_found: nothing here");
    assert.ok(lines.some((line) => line.includes("run.test.ts")));
    assert.ok(lines.includes("caused by:") && lines.some((line) => line.includes("deep")));
  });
});
