import type { ActrId, NodeContext } from "../../src/mod.ts";
import { benchStream, echoBody, echoRoute } from "./bench_service.ts";
import { closedLoop, type LoadPlan, type LoadResult } from "./load.ts";

/** Writes chunks one after the other, as fast as the connection takes them; a call behind the last one tells that all were handled. */
export async function streamLoad(
  context: NodeContext,
  target: ActrId,
  plan: LoadPlan,
): Promise<LoadResult> {
  const writer = await context.streams.open(target, benchStream);
  const chunk = new Uint8Array(plan.bytes);
  const last = echoBody(1);
  return closedLoop(
    () => writer.write(chunk),
    { ...plan, inFlight: 1 },
    async () => void (await context.call(target, echoRoute, last)),
  );
}
