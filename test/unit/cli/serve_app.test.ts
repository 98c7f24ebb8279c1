import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { configuredApp } from "../../../src/cli/serve_app.ts";

const file = fileURLToPath(new URL("../../../examples/echo/app.ts", import.meta.url));

describe("configured app", () => {
  it("[N-20] runs handlers one by one when it is told so, and keeps its other options", async () => {
    const app = await configuredApp(file, {});
    assert.equal(app.options?.dispatch?.concurrent, undefined);
    const { options, ...rest } = await configuredApp(file, { serial: true });
    assert.equal(options?.dispatch?.concurrent, false);
    const { options: own, ...others } = app;
    assert.deepEqual({ ...options, dispatch: undefined }, { ...own, dispatch: undefined });
    assert.deepEqual(rest, others);
  });
});
