import { answerRequest } from "../../host/connections/raw_request.ts";
import {
  type ActorRequest,
  answered,
  bodyOf,
  paramsOf,
  signWith,
  specifierOf,
} from "./actor_requests.ts";
import type { GatewayRequest } from "./gateway_target.ts";

/** Headers that are for the gateway alone. */
const own = ["x-rivet-token", "x-rivet-conn-params", "x-rivet-internal-original-request-url"];

/**
 * Hands a request to an actor's `onRequest` (`spec/actor-client.md` §11): its path without `/request`, its query
 * without what addresses the actor. The body is taken in before the actor is given it.
 */
export function answerRaw(
  request: ActorRequest,
  { path, query }: Pick<GatewayRequest, "path" | "query">,
): Promise<Response> {
  const { raw } = request;
  return answered(request, async (instance) => {
    const params = paramsOf(raw);
    const body = await bodyOf(request, instance.kind.options.maxRequestBytes);
    const { origin } = new URL(raw.url);
    const { method, signal } = raw;
    const asked = new Request(`${origin}${path.slice("/request".length) || "/"}${query}`, {
      method,
      headers: headersOf(raw),
      signal,
      ...(body.length === 0 ? {} : { body }),
    });
    const response = await answerRequest(instance, { request: asked, params });
    const answer = new Response(response?.body ?? null, response ?? { status: 404 });
    answer.headers.delete("x-rivet-error");
    signWith(answer.headers, specifierOf(instance));
    return answer;
  });
}

function headersOf({ headers }: Request): Headers {
  const rest = new Headers(headers);
  for (const name of own) rest.delete(name);
  return rest;
}
