import type { Command, Input, World } from "../command.ts";
import { inspectorOptions, withInspector } from "../inspect/open_inspector.ts";
import { Misuse } from "../misuse.ts";
import { choice } from "../suggest.ts";
import { type DlqAction, listLetters, showLetter } from "./dlq_look.ts";
import { purgeLetters, redriveLetters } from "./dlq_operate.ts";

/** What `roost dlq` does, and the options that each takes beside the common ones. */
const actions: Readonly<Record<string, DlqAction>> = {
  ls: { options: ["category", "from", "limit"], most: 0, plan: listLetters },
  show: { options: [], most: 1, plan: showLetter },
  redrive: { options: ["all", "category"], most: 1000, plan: redriveLetters },
  purge: { options: ["all", "category", "before"], most: 1000, plan: purgeLetters },
};

const selecting = ["category", "from", "limit", "all", "before"];

/** Looks at dead letters, puts them back, deletes them. */
export const dlqCommand: Command = {
  name: "dlq",
  summary: "List, show, redrive or purge the dead letters of a node, or of its store at rest",
  arguments: { usage: "ls | show ID | redrive [ID…] | purge [ID…]", least: 1, most: 1001 },
  options: {
    category: { value: "WORD", help: "only letters of this category, such as protobuf_decode" },
    from: { value: "ACTRID", help: "ls: only letters of this sender" },
    limit: { value: "N", help: "ls: at most so many (default 20)" },
    all: { help: "redrive, purge: every letter" },
    before: { value: "AGE", help: "purge: letters older than this, such as 12h or 7d" },
    ...inspectorOptions,
  },
  example: "roost dlq redrive --category handler_error --store .roost/node.db",

  run(input: Input, world: World): Promise<number> {
    const [name = "", ...ids] = input.positionals;
    const work = actionOf(name, input, ids).plan(ids, input, world);
    return withInspector(input, world, work);
  },
};

function actionOf(name: string, input: Input, ids: readonly string[]): DlqAction {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    throw new Misuse(`unknown action ${name}.${choice(name, Object.keys(actions))}`);
  }
  const foreign = selecting.find((option) => input.has(option) && !action.options.includes(option));
  if (foreign !== undefined) throw new Misuse(`dlq ${name} takes no --${foreign}`);
  const surplus = ids[action.most];
  if (surplus !== undefined) throw new Misuse(`unexpected argument ${surplus} of dlq ${name}`);
  return action;
}
