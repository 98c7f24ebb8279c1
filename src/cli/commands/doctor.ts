import type { Command, Input, World } from "../command.ts";
import { examine, type Finding } from "../doctor_checks.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";

/** What works here, and what to do about the rest. */
export const doctorCommand: Command = {
  name: "doctor",
  summary: "Check runtime, native modules, port and store; tell what to do",
  arguments: { usage: "", least: 0, most: 0 },
  options: settingOptions("port", "host", "store"),
  example: "roost doctor --port 8080",

  async run(input: Input, world: World): Promise<number> {
    const { settings } = loadSettings(input, world, world.cwd);
    const { port = 8080, host = "127.0.0.1", store } = settings;
    const findings = await examine({ port, host, ...(store === undefined ? {} : { store }) });
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
