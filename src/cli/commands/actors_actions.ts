import type { ActorLine, ActorPage, HttpActors } from "../actors/http_actors.ts";
import type { Input, World } from "../command.ts";
import { countOf } from "../counts.ts";
import { oneLine } from "../failure.ts";
import { Misuse } from "../misuse.ts";

/** Does something with a node's actors. */
export type ActorsWork = (actors: HttpActors) => Promise<void>;

/** One thing that `roost actors` can do. */
export interface ActorsAction {
  /** Its arguments. */
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  /** Options that it takes, of those that not every action has. */
  readonly options: readonly string[];
  /** Reads the command line, before anything is asked. @throws Misuse. */
  readonly plan: (words: readonly string[], input: Input, world: World) => ActorsWork;
}

/** `roost actors ls NAME`: ascending by key. */
export function listActors([name = ""]: readonly string[], input: Input, world: World): ActorsWork {
  const limit = countOf(input, "limit", 20);
  const json = input.has("json");
  return async (actors) => {
    let shown = 0;
    let more = false;
    for await (const actor of actorsOf(actors, name)) {
      more = shown === limit;
      if (more) break;
      world.out(json ? JSON.stringify(actor) : lineOf(actor));
      shown += 1;
    }
    if (!json) world.out(totalOf(shown, more));
  };
}

/** `roost actors show`. */
export function showActor(words: readonly string[], input: Input, world: World): ActorsWork {
  return async (actors) => {
    const actor = await find(actors, words);
    world.out(input.has("json") ? JSON.stringify(actor) : lineOf(actor));
  };
}

/** `roost actors call`: prints the output as JSON; makes the actor of a key unless `--existing`. */
export function callActor(words: readonly string[], input: Input, world: World): ActorsWork {
  const args = argumentsOf(input.value("args"));
  const [target, action = ""] = [words.slice(0, -1), words.at(-1)];
  return async (actors) => {
    const [name = "", key] = target;
    const makes = key !== undefined && !input.has("existing");
    const { id } = await (makes ? actors.obtain(name, key) : find(actors, target));
    world.out(JSON.stringify(await actors.act(id, action, args)));
  };
}

/** `roost actors destroy`. */
export function destroyActor(words: readonly string[], input: Input, world: World): ActorsWork {
  return async (actors) => {
    const actor = await find(actors, words);
    await actors.destroy(actor.id);
    world.out(
      input.has("json") ? JSON.stringify({ destroyed: actor }) : `destroyed ${lineOf(actor)}`,
    );
  };
}

/** The actor of `NAME KEY`, or of an id. @throws ActrError `actor.not_found`. */
function find(actors: HttpActors, [first = "", key]: readonly string[]): Promise<ActorLine> {
  return key === undefined ? actors.byId(first) : actors.byKey(first, key);
}

/** All of a definition, page by page. */
async function* actorsOf(
  actors: HttpActors,
  name: string,
): AsyncGenerator<ActorLine, void, undefined> {
  let page: ActorPage | undefined;
  do {
    page = await actors.list(name, page?.next ?? null);
    yield* page.actors;
  } while (page.next !== null);
}

function argumentsOf(text = "[]"): readonly unknown[] {
  const wrong = `--args is ${text}; write a list of JSON, such as [1,"a"]`;
  try {
    const args: unknown = JSON.parse(text);
    if (Array.isArray(args)) return args;
  } catch {
    throw new Misuse(wrong);
  }
  throw new Misuse(wrong);
}

function lineOf({ id, name, key }: ActorLine): string {
  return `${id}  ${name} ${oneLine(key)}`;
}

function totalOf(count: number, more: boolean): string {
  const actors = `${count === 0 ? "no" : count} ${count === 1 ? "actor" : "actors"}`;
  return more ? `the first ${actors}; --limit shows more` : actors;
}
