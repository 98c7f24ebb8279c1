/**
 * What the compiler refuses of a node's life: each stage has only the steps that may come next.
 * Nothing here runs: tsc fails when a line marked as an error compiles.
 */
import { defineNode, type NodeContext } from "@roost/edge";
import { prepare, serve } from "@roost/edge/node";

const app = defineNode({ type: "acme:Probe:1.0.0" });

/** The whole way, in its order. */
export async function right(): Promise<void> {
  const prepared = prepare({ port: 0 });
  await using attached = prepared.attach(app).observe({ onStart() {} });
  await using registered = await attached.register();
  await using served = await registered.start({ signal: new AbortController().signal });
  await served.stop();
  await using atOnce = await serve(app, { port: 0 });
  await atOnce.stopped;
}

export async function wrongOrder(): Promise<void> {
  const prepared = prepare();
  // @ts-expect-error: nothing is served yet
  await prepared.register();
  // @ts-expect-error: nothing is served yet
  await prepared.start();
  const attached = prepared.attach(app);
  // @ts-expect-error: it has no identity yet
  await attached.start();
  // @ts-expect-error: it does not run
  await attached.stop();
  // @ts-expect-error: it has an identity once it is registered
  attached.id;
  // @ts-expect-error: it serves already
  attached.attach(app);
  const registered = await attached.register();
  // @ts-expect-error: observers come before the registration
  registered.observe({});
  // @ts-expect-error: it is registered
  await registered.register();
  // @ts-expect-error: it calls nobody before it runs
  registered.context;
  // @ts-expect-error: it does not run; dispose it instead
  await registered.stop();
  const served = await registered.start();
  // @ts-expect-error: it runs
  await served.start();
  // @ts-expect-error: it runs
  served.observe({});
}

export function wrongPieces(): void {
  const attached = prepare().attach(app);
  // @ts-expect-error: what is attached is a definition, made by defineNode
  prepare().attach({ services: app });
  // @ts-expect-error: there is no hook of that name
  attached.observe({ onLaunch() {} });
  // @ts-expect-error: onStart is told nothing but the context
  attached.observe({ onStart: (_context: NodeContext, _event: string) => {} });
}
