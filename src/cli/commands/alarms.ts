import type { AlarmPage, AlarmView } from "../../inspector/alarms.ts";
import type { Inspector } from "../../inspector/inspector.ts";
import type { Command, Input, World } from "../command.ts";
import { countOf } from "../counts.ts";
import { oneLine } from "../failure.ts";
import { inspectorOptions, withInspector } from "../inspect/open_inspector.ts";
import { Misuse } from "../misuse.ts";

/** What the actors of a node have scheduled. */
export const alarmsCommand: Command = {
  name: "alarms",
  summary: "List the schedules of the actors of a node, or of its store at rest",
  arguments: { usage: "ls", least: 1, most: 1 },
  options: {
    limit: { value: "N", help: "at most so many (default 20)" },
    ...inspectorOptions,
  },
  example: "roost alarms ls --store .roost/node.db",

  run(input: Input, world: World): Promise<number> {
    const [action] = input.positionals;
    if (action !== "ls") throw new Misuse(`unknown action ${action}; write roost alarms ls`);
    const limit = countOf(input, "limit", 20);
    const json = input.has("json");
    return withInspector(input, world, async (inspector) => {
      let shown = 0;
      let more = false;
      for await (const alarm of alarmsOf(inspector)) {
        more = shown === limit;
        if (more) break;
        world.out(json ? JSON.stringify(alarm) : lineOf(alarm));
        shown += 1;
      }
      if (!json && more) world.out(`the first ${shown}; --limit shows more`);
      if (!json && shown === 0) world.out("no alarms");
      return 0;
    });
  },
};

/** All of them, page by page. */
async function* alarmsOf(inspector: Inspector): AsyncGenerator<AlarmView, void, undefined> {
  let page: AlarmPage | undefined;
  do {
    const after = page?.next;
    page = await inspector.alarms(after ? { after } : {});
    yield* page.alarms;
  } while (page.next !== null);
}

function lineOf({ nextAt, actor, key, action, name, failures, ...alarm }: AlarmView): string {
  const facts = [name === null ? [] : oneLine(name), repetition(alarm), tries(failures)].flat();
  const whose = `${actor} ${oneLine(key)}`;
  const what = facts.length === 0 ? action : `${action} (${facts.join(", ")})`;
  return `${new Date(nextAt).toISOString()}  ${whose}  ${what}`;
}

function repetition({ everyMs, cron, timeZone }: Pick<AlarmView, "everyMs" | "cron" | "timeZone">) {
  if (everyMs !== null) return [`every ${everyMs} ms`];
  return cron === null ? [] : [`${cron} ${timeZone ?? "UTC"}`];
}

function tries(failures: number): string[] {
  return failures === 0 ? [] : [`failed ${failures === 1 ? "once" : `${failures} times`}`];
}
