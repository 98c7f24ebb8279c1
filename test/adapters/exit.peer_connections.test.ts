import assert from "node:assert/strict";
import { once } from "node:events";
import { it } from "node:test";
import { Program, thisRuntime } from "../fixtures/runtimes.ts";
import { stackNames, whyMissing } from "../fixtures/webrtc_stacks.ts";

const endings = {
  exit: "closed its connections ends by itself",
  leave: "is in the middle of it ends when it says so",
  media: "carried sound and pictures ends when it says so",
  fade: "carried sound and pictures and closed its connections ends by itself",
};

for (const name of stackNames) {
  const missing = await whyMissing(name);
  for (const [task, what] of Object.entries(endings)) {
    const stays = task === "fade" && name === "node-datachannel";
    const skip = missing ?? (stays ? "its tracks keep the process up until collected" : false);
    it(`a process that ${what}: ${name}`, { skip, timeout: 60_000 }, async () => {
      const args = [name, task];
      await using program = new Program(thisRuntime, "test/fixtures/webrtc_program.ts", args);
      const ended = once(program.process, "exit");
      await program.line();
      assert.deepEqual(await ended, [0, null], program.errors);
    });
  }
}
