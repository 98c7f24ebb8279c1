import type { Context } from "hono";
import type { CallTarget } from "../../actor_client.ts";
import { ActrError } from "../../errors.ts";
import type { RequestContext } from "../../ports/sockets.ts";
import { statusOf } from "../actors/error_answer.ts";
import { answerInspection } from "./actor_views.ts";
import type { InspectorConnectParts, InspectorSockets } from "./connect.ts";
import { bearerOf, isToken } from "./token.ts";

/** What {@link GatewayInspector} needs. */
export interface GatewayInspectorParts extends InspectorConnectParts {
  readonly sockets: InspectorSockets;
}

/** `/inspector/*` of an actor that is addressed as its clients address it, where RivetKit's tools look for it (`spec/actor-host.md` §13.1). */
export class GatewayInspector {
  readonly #parts: GatewayInspectorParts;

  constructor(parts: GatewayInspectorParts) {
    this.#parts = parts;
  }

  /** Answers `/inspector/PATH`; errors have a group and a code. The actor has to be there: none is made. */
  async answer(target: CallTarget, path: string, request: Request): Promise<Response> {
    try {
      await this.#requireToken(request);
      const { actors } = this.#parts;
      const parts = actors();
      if (parts === undefined) throw starting();
      const id = await this.#find(target);
      const view = path.slice("/inspector".length);
      const asked = { method: request.method, path: view, request };
      return Response.json(await answerInspection(parts, id, asked));
    } catch (error) {
      return refusal(ActrError.from(error));
    }
  }

  /** Takes the WebSocket of an inspector. */
  connect(c: Context<{ Bindings: RequestContext }>, target: CallTarget): Response | undefined {
    return this.#parts.sockets.connect(c, () => this.#find(target));
  }

  async #requireToken({ headers }: Request): Promise<void> {
    if (await isToken(bearerOf(headers.get("authorization")), this.#parts.token)) return;
    const message = "send the inspection token: authorization: Bearer TOKEN";
    throw new ActrError("inspector.unauthorized", message);
  }

  async #find(target: CallTarget): Promise<string> {
    if ("id" in target) return target.id;
    const found = await this.#parts.actors()?.host.find(target);
    if (found !== undefined) return found.id;
    throw new ActrError("actor.not_found", `there is no actor ${target.name} of this key`);
  }
}

function starting(): ActrError {
  return new ActrError("actor.starting", "the node is starting", { retryAfterMs: 1_000 });
}

/** Statuses of what is an inspector's alone. */
const statuses: Readonly<Record<string, number>> = {
  "inspector.unauthorized": 401,
  not_found: 404,
};

function refusal(error: ActrError): Response {
  const { code, message } = error;
  const at = code.indexOf(".");
  const [group, name] = at < 0 ? ["inspector", code] : [code.slice(0, at), code.slice(at + 1)];
  const status = statuses[code] ?? statusOf(error);
  return Response.json({ group, code: name, message, metadata: null }, { status });
}
