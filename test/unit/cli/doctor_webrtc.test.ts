import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../../adapters/memory/fake_clock.ts";
import { checkWebRtc } from "../../../src/cli/webrtc_check.ts";
import { ActrError } from "../../../src/errors.ts";
import { FakePaths, FakeStack } from "../transports/fake_webrtc.ts";
import { roost } from "./support.ts";

describe("roost doctor: WebRTC", () => {
  it("tells what each library does, in a process of its own", { timeout: 120_000 }, async () => {
    const { out } = await roost(["doctor", "--json", "--port", "0"]);
    const { findings } = JSON.parse(out) as { findings: { name: string; detail: string }[] };
    for (const name of ["@roamhq/wrtc", "node-datachannel"]) {
      const detail = findings.find((finding) => finding.name === name)?.detail ?? "";
      assert.match(detail, /^loads, and connects in \d+ ms$|does not load/);
    }
  });

  it("says what to do about a library that is missing, and 2 for one that it does not know", async () => {
    const load = () => Promise.reject(new ActrError("config", "x does not load"));
    assert.deepEqual(await checkWebRtc("x", { load, mend: "install x" }), {
      name: "x",
      status: "missing",
      detail: "x does not load",
      mend: "install x",
    });
    assert.equal((await roost(["doctor-webrtc", "x"])).code, 2);
  });

  it("opens a connection", async () => {
    const clock = new FakeClock();
    const stack = new FakeStack(new FakePaths(clock));
    const checked = checkWebRtc("fake", { load: async () => stack, mend: "" });
    await clock.settle();
    const { status, detail } = await checked;
    assert.equal(status, "ok", detail);
    assert.deepEqual(
      stack.made.map(({ state }) => state),
      ["closed", "closed"],
    );
  });
});
