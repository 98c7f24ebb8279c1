import { HttpActors } from "../actors/http_actors.ts";
import { nodeAddress, nodeOptions } from "../ask_node.ts";
import type { Command, Input, World } from "../command.ts";
import { Misuse } from "../misuse.ts";
import { loadSettings } from "../settings/load.ts";
import { settingOptions } from "../settings/settings.ts";
import { choice } from "../suggest.ts";
import {
  type ActorsAction,
  callActor,
  destroyActor,
  listActors,
  showActor,
} from "./actors_actions.ts";

/** What `roost actors` does. */
const actions: Readonly<Record<string, ActorsAction>> = {
  ls: { usage: "NAME", options: ["limit"], least: 1, most: 1, plan: listActors },
  show: { usage: "NAME KEY | ID", options: [], least: 1, most: 2, plan: showActor },
  call: {
    usage: "NAME KEY ACTION | ID ACTION",
    options: ["args", "existing"],
    least: 2,
    most: 3,
    plan: callActor,
  },
  destroy: { usage: "NAME KEY | ID", options: [], least: 1, most: 2, plan: destroyActor },
};

const own = ["limit", "args", "existing"];

/** Looks at the actors of a running node, calls them and ends them. */
export const actorsCommand: Command = {
  name: "actors",
  summary: "List, show, call or destroy actors of a running node; ACTOR is NAME KEY, or an ID",
  arguments: {
    usage: "ls NAME | show ACTOR | call ACTOR ACTION | destroy ACTOR",
    least: 1,
    most: 4,
  },
  options: {
    args: { value: "JSON", help: "call: the arguments, a list (default [])" },
    existing: { help: "call: makes no actor where there is none" },
    limit: { value: "N", help: "ls: at most so many (default 20)" },
    ...nodeOptions,
    token: { value: "TOKEN", help: "opens its actors; better given as ROOST_ACTOR_TOKEN" },
    ...settingOptions(),
  },
  example: "roost actors call counter room-1 add --args '[1]'",

  async run(input: Input, world: World): Promise<number> {
    const [name = "", ...words] = input.positionals;
    const work = actionOf(name, input, words).plan(words, input, world);
    const { settings } = loadSettings(input, world, world.cwd);
    const token = input.value("token") ?? settings.actorToken;
    await work(new HttpActors({ ...nodeAddress(input), token }));
    return 0;
  },
};

function actionOf(name: string, input: Input, words: readonly string[]): ActorsAction {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    throw new Misuse(`unknown action ${name}.${choice(name, Object.keys(actions))}`);
  }
  const { usage, options, least, most } = action;
  const foreign = own.find((option) => input.has(option) && !options.includes(option));
  if (foreign !== undefined) throw new Misuse(`actors ${name} takes no --${foreign}`);
  if (words.length >= least && words.length <= most) return action;
  throw new Misuse(`write roost actors ${name} ${usage}`);
}
