import { ActrError } from "../errors.ts";
import type { ResolvedRule } from "../protocol/acl.ts";
import { type ActrId, formatActrId } from "../protocol/ids.ts";
import { isAllowed, originOf } from "./acl.ts";
import type { InboundMessage } from "./message.ts";
import type { Route, RouteTable } from "./route.ts";

/** What decides whether a message may be handled. */
export interface AdmissionComponents {
  readonly routes: RouteTable;
  /** For routes without rules of their own; none: everybody may call. */
  readonly rules: readonly ResolvedRule[] | undefined;
  /** This node, read live. */
  readonly selfId: () => ActrId;
}

/** The route that a message may take. @throws ActrError `permission_denied`, `unknown_route`. */
export function admit(
  message: Pick<InboundMessage, "from" | "envelope">,
  components: AdmissionComponents,
): Route {
  const { from, envelope } = message;
  const { selfId } = components;
  const route = components.routes.get(envelope.routeKey);
  const rules = route?.rules ?? components.rules;
  if (rules !== undefined && !isAllowed(originOf(from, selfId()), rules)) {
    const self = formatActrId(selfId());
    throw new ActrError(
      "permission_denied",
      `ACL denied: ${from.key} is not allowed to call ${self}`,
    );
  }
  if (route === undefined) {
    throw new ActrError("unknown_route", `${envelope.routeKey} is not served here`);
  }
  return route;
}
