import { ActrError } from "../../errors.ts";
import type { Instance } from "../instance.ts";
import type { CallChain } from "../turns/chain.ts";

/** A request for an actor. */
export interface RawRequest {
  /** Its body has arrived: the turn waits for no network. */
  readonly request: Request;
  readonly params: unknown;
  /** Who waits for the answer. */
  readonly chain?: CallChain;
}

/**
 * What an actor's `onRequest` answers, in a turn of its own; undefined when the actor takes no requests. The answer
 * leaves when all that was changed is on disk; while its body is being read the actor stays awake.
 * @throws ActrError what the hooks of connections, or `onRequest`, threw; `protocol.invalid_http_response`.
 */
export async function answerRequest(
  instance: Instance,
  { request, params, chain = [] }: RawRequest,
): Promise<Response | undefined> {
  const { onRequest } = instance.kind.definition;
  if (onRequest === undefined) return undefined;
  const conn = await instance.connections.visit(params);
  instance.work.begin("http");
  const end = (): void => {
    instance.work.end("http");
    void conn.disconnect();
  };
  try {
    const response = await new Promise<Response>((resolve, reject) => {
      const answer = {
        take(output: unknown): () => void {
          const taken = requireResponse(output);
          return () => resolve(taken);
        },
        fail: reject,
      };
      const handler = (c: Parameters<typeof onRequest>[0]): unknown => onRequest(c, request);
      instance.act({ name: "onRequest", args: [], conn, answer, handler, chain });
    });
    return whenRead(request.method === "HEAD" ? withoutBody(response) : response, end);
  } catch (error) {
    end();
    throw error;
  }
}

function requireResponse(output: unknown): Response {
  if (output instanceof Response) return output;
  throw new ActrError("protocol.invalid_http_response", "onRequest returned no Response");
}

function withoutBody(response: Response): Response {
  void response.body?.cancel().catch(() => {});
  return new Response(null, response);
}

/** The same response; `end` is called once its body has been read, or is not wanted any more. */
function whenRead(response: Response, end: () => void): Response {
  if (response.body === null) {
    end();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      end();
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
  return new Response(body, response);
}
