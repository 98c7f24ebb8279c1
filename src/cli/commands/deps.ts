import { clientOptions } from "../client.ts";
import type { Command, Input, World } from "../command.ts";
import { openProject, type Project } from "../deps/project.ts";
import { Misuse } from "../misuse.ts";
import { choice } from "../suggest.ts";
import { checkDependencies } from "./deps_check.ts";
import { addDependency, listDependencies, removeDependency } from "./deps_list.ts";
import { lockDependencies } from "./deps_lock.ts";

/** What one action works with. */
export interface DepsWork {
  readonly project: Project;
  /** The words behind the action. */
  readonly words: readonly string[];
  readonly input: Input;
  readonly world: World;
}

/** One action of `roost deps`. */
interface DepsAction {
  readonly usage: string;
  /** Its options beside the common ones. */
  readonly options: readonly string[];
  readonly least: number;
  readonly most: number;
  /** Resolves with the exit code. */
  run(work: DepsWork): Promise<number>;
}

/** Most dependencies named at once. */
const many = 1_000;

const actions: Readonly<Record<string, DepsAction>> = {
  ls: { usage: "", options: [], least: 0, most: 0, run: listDependencies },
  add: { usage: "NAME TYPE", options: [], least: 2, most: 2, run: addDependency },
  rm: { usage: "NAME", options: [], least: 1, most: 1, run: removeDependency },
  lock: { usage: "[NAME…]", options: ["offline"], least: 0, most: many, run: lockDependencies },
  check: {
    usage: "[NAME…]",
    options: ["offline", "proto"],
    least: 0,
    most: many,
    run: checkDependencies,
  },
};

const own = ["offline", "proto"];

/** Keeps what a package was built against, and tells which of it still serves. */
export const depsCommand: Command = {
  name: "deps",
  summary: "Lock the services that a package calls, and tell which of them broke and how",
  arguments: {
    usage: "ls | add NAME TYPE | rm NAME | lock [NAME…] | check [NAME…]",
    least: 1,
    most: many + 1,
  },
  options: {
    manifest: { value: "FILE", help: "the package (default manifest.toml)" },
    offline: { help: "lock, check: the files in protos/remote/NAME, not what nodes announce" },
    proto: {
      value: "FILE",
      multiple: true,
      help: "check NAME: a file of its next version, not what nodes announce",
    },
    ...clientOptions,
  },
  example: "roost deps check --identity http://127.0.0.1:8080/ais",

  async run(input: Input, world: World): Promise<number> {
    const [name = "", ...words] = input.positionals;
    const action = actionOf(name, input, words);
    const project = await openProject(world.cwd, input.value("manifest"));
    return await action.run({ project, words, input, world });
  },
};

function actionOf(name: string, input: Input, words: readonly string[]): DepsAction {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action === undefined) {
    throw new Misuse(`unknown action ${name}.${choice(name, Object.keys(actions))}`);
  }
  const { usage, options, least, most } = action;
  const foreign = own.find((option) => input.has(option) && !options.includes(option));
  if (foreign !== undefined) throw new Misuse(`deps ${name} takes no --${foreign}`);
  if (words.length >= least && words.length <= most) return action;
  throw new Misuse(`write roost deps ${name} ${usage}`.trim());
}
