import type { Command, Input, World } from "../command.ts";
import { examine, type Finding } from "../doctor_checks.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** What works here, and what to do about the rest; with `--store` alone no port is tried. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check runtime, native modules, port and store; tell what to do",
  arguments: { usage: "", least: 0, most: 0 },
  options: {
    ...settingOptions("port", "host", "store", "storeSyncUrl", "storeTimeoutMs"),
    port: { value: "N", help: "port to try (default 8080; none beside --store)" },
    host: { value: "ADDRESS", help: "address to try it on (default 127.0.0.1)" },
    store: {
      value: "STORE",
      help: "store to check: a file at rest or a libSQL server (default: try a new file)",
    },
    quick: { help: "leave out what takes long in a large store" },
  },
  example: "roost doctor --store .roost/node.db",

  async run(input: Input, world: World): Promise<number> {
    const { settings } = loadSettings(input, world, world.cwd);
    const { port = 8080, host = "127.0.0.1", store } = settings;
    const quick = input.has("quick");
    const findings = await examine({
      host,
      // Who asks for a store may have a node that runs.
      ...(input.has("store") && !input.has("port") ? {} : { port }),
      ...(store === undefined ? {} : { store: { ...settings, store, quick } }),
    });
    const ok = findings.every((finding) => finding.status !== "failed");
    if (input.has("json")) world.out(JSON.stringify({ ok, findings }));
    else for (const line of findings.flatMap(linesOf)) world.out(line);
    return ok ? 0 : 1;
  },
};

const marks = { ok: "✔", missing: "–", failed: "✖" } as const;

function linesOf({ name, status, detail, mend }: Finding): string[] {
  const first = `${marks[status]} ${name}: ${detail}`;
  return mend === undefined ? [first] : [first, `    ${mend}`];
}
