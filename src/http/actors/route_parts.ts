import { ActrError } from "../../errors.ts";
import type { ActorHost } from "../../host/actor_host.ts";
import type { Logger } from "../../ports/logger.ts";
import { equalBytes, utf8 } from "../../protocol/bytes.ts";
import type { GatewayInspector } from "../inspector/gateway.ts";

/** What the routes of actors need. */
export interface ActorRouteParts {
  /** None while the node starts, or where no actors are hosted. */
  readonly host: () => ActorHost | undefined;
  /** Where the failures go that clients are not told of. */
  readonly log: () => Logger | undefined;
  /** Answers `/inspector/*` of an actor. @default there is none */
  readonly inspector?: GatewayInspector;
  /** Opens the actors to who sends it. @default they are open to everybody */
  readonly token?: string;
}

/** @throws ActrError `unavailable` while the node starts. */
export function hostOf({ host }: ActorRouteParts): ActorHost {
  const found = host();
  if (found !== undefined) return found;
  throw new ActrError("actor.starting", "the node is starting", { retryAfterMs: 1000 });
}

/** @throws ActrError `auth.forbidden`. */
export function requireToken(expected: string | undefined, given: string | undefined): void {
  if (expected === undefined || equalBytes(utf8(expected), utf8(given ?? ""))) return;
  throw new ActrError("auth.forbidden", "the token of these actors is missing or wrong");
}
