import type { MailboxView } from "../../inspector/inspector.ts";
import type { Command, Input, World } from "../command.ts";
import { formatAge } from "../inspect/ages.ts";
import { inspectorOptions, withInspector } from "../inspect/open_inspector.ts";

/** How full the mailbox of a node is. */
export const mailboxCommand: Command = {
  name: "mailbox",
  summary: "Show the mailbox of a running node, or of its store at rest",
  arguments: { usage: "", least: 0, most: 0 },
  options: inspectorOptions,
  example: "roost mailbox --store .roost/node.db",

  run(input: Input, world: World): Promise<number> {
    return withInspector(input, world, async (inspector) => {
      const view = await inspector.mailbox();
      if (input.has("json")) world.out(JSON.stringify(view));
      else for (const line of linesOf(view)) world.out(line);
      return 0;
    });
  },
};

function linesOf({ queuedNormal, queuedHigh, inFlight, bytes, oldestAgeMs, stored }: MailboxView) {
  const oldest = oldestAgeMs === null ? "none" : formatAge(oldestAgeMs);
  return [
    `  queued     ${queuedNormal} normal, ${queuedHigh} high`,
    `  in flight  ${inFlight}`,
    ...(bytes === null ? [] : [`  bytes      ${bytes}`]),
    `  on disk    ${stored.queuedNormal} normal, ${stored.queuedHigh} high, ${stored.claimed} claimed`,
    `  oldest     ${oldest}`,
  ];
}
