import type { ActrError } from "../../../../errors.ts";
import { guestFault } from "../../../fault.ts";
import type { ComponentOutline } from "./outline.ts";

/** The interface that guests export (`spec/guest.md` §10). */
export const workloadInterface = "actr:workload/workload@0.2.0";

/** The interface of the node that guests import. */
export const hostInterface = "actr:workload/host@0.2.0";

const retiredInterface = "actr:workload/workload@0.1.0";

/** Data of both interfaces; it has no functions. */
const dataInterface = "actr:workload/types@0.2.0";

/** What a component may also import: clocks, randomness, streams and files that do not exist, for which there are stand-ins. */
const systemInterfaces = /^wasi:(?:cli|clocks|filesystem|io|random)\/[a-z0-9-]+@0\.2\.\d+$/;

/** Most names in the text of an error. */
const mostTold = 5;

/** The first names of a list, for texts. */
export function told(names: readonly string[]): string {
  const more = names.length - mostTold;
  return names.slice(0, mostTold).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** Whether the V2 world, or the system that it is built on, has such an interface to import. */
export function isOfWorld(name: string): boolean {
  return name === hostInterface || name === dataInterface || systemInterfaces.test(name);
}

function refusal(problem: string): ActrError {
  return guestFault("load_failed", problem);
}

/**
 * That a component is of the V2 world and of a form that can be run (`spec/guest.md` §16).
 * @throws ActrError with fault `load_failed`, which names what is the matter.
 */
export function checkWorld(outline: ComponentOutline): void {
  const current = outline.exports.includes(workloadInterface);
  const retired = outline.exports.includes(retiredInterface);
  if (current && retired) {
    throw refusal(
      `the component exports both worlds, ${workloadInterface} and ${retiredInterface}: build it for the first alone`,
    );
  }
  if (retired) {
    throw refusal(
      `the component is of the retired world, ${retiredInterface}: rebuild it with a current SDK, for ${workloadInterface}`,
    );
  }
  if (!current) {
    throw refusal(
      `the component is of no recognised world: it exports ${told(outline.exports) || "no interface"}; build it for ${workloadInterface}`,
    );
  }
  checkForm(outline);
}

function checkForm(outline: ComponentOutline): void {
  if (outline.asyncWithoutType) {
    throw refusal(
      "the component was made by an old SDK: functions that wait have types that do not (an async lift of a type that is not async); rebuild it with a current SDK",
    );
  }
  const outside = outline.imports.filter((name) => !isOfWorld(name));
  if (outside.length > 0) {
    throw refusal(
      `the component imports what is outside its world: ${told(outside)}; a guest reaches the world only through ${hostInterface}`,
    );
  }
  if (!outline.utf8) {
    throw refusal("the component passes texts as UTF-16: build it with texts in UTF-8");
  }
  if (outline.composed) {
    throw refusal(
      "the component is composed of components with code of their own, which is not supported: give one component, built from one program",
    );
  }
}
