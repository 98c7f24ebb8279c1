import type { ActionContext, Connection, ScheduleFire } from "../../actor.ts";
import type { ActrError } from "../../errors.ts";
import type { TraceContext } from "../../ports/tracer.ts";
import type { CallChain } from "./chain.ts";

/** Who waits for what an action returns. */
export interface Answer {
  /** Takes the output down as it is now; the function returned hands it over. @throws ActrError for what cannot be sent. */
  take(output: unknown): () => void;
  /** It failed, or will not run. */
  fail(error: ActrError): void;
}

/** One action to be run. */
export interface ActionCommand {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly answer: Answer;
  readonly conn?: Connection | undefined;
  /** What runs in place of the action of this name: an operator's doing, which needs no declaration. */
  readonly handler?: (c: ActionContext) => unknown;
  readonly fire?: ScheduleFire;
  /** It has its turn. */
  readonly begins?: () => void;
  /** Its handler goes on after the turn of the event loop in which it began. */
  readonly goesOn?: () => void;
  /** Adds what belongs into the commit of its end; called once the handler has ended. */
  readonly settle?: (failure: ActrError | undefined) => void;
  /** Who waits for this one, on whatever node. */
  readonly chain?: CallChain;
  /** What calls that it makes belong to. */
  readonly trace?: TraceContext | undefined;
  /** Names the request, whose repeats have the same name: it takes effect once. */
  readonly request?: string;
}

/** Runs one of an actor's actions for a caller in this process. */
export function asPromise(run: (answer: Answer) => void): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run({ take: (output) => () => resolve(output), fail: reject });
  });
}
