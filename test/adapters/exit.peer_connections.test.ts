import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { stackNames, whyMissing } from "../fixtures/webrtc_stacks.ts";

for (const name of stackNames) {
  const skip = (await whyMissing(name)) ?? false;
  it(`a process that closed its connections ends by itself: ${name}`, {
    skip,
    timeout: 30_000,
  }, async () => {
    await using program = new Program(thisRuntime, "test/fixtures/webrtc_program.ts", [
      name,
      "exit",
    ]);
    const ended = once(program.process, "exit");
    await program.line();
    assert.deepEqual(await ended, [0, null], program.errors);
  });
}
