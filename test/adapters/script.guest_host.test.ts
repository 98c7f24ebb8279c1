import { readFile } from "node:fs/promises";
import { guestHostConformance } from "../conformance/guest_host.ts";
import { scriptHost } from "../fixtures/guests/script_host.ts";

const host = scriptHost();
const binary = await readFile(new URL("../fixtures/guests/probe_script.js", import.meta.url));

const fixture = {
  host,
  probe: { kind: "script", binary },
  [Symbol.asyncDispose]: async () => {},
} as const;

guestHostConformance("scripts, inline", async () => fixture, "script");
