import { ActrError } from "../../src/errors.ts";
import { onStopSignal } from "../stop_signals.ts";
import type { Foundation } from "./foundation.ts";

/** Aborted when a node has to stop, whatever it is doing: its store is lost, or the process is asked to end. */
export function haltSignal(
  { store, log, undo }: Foundation,
  { stopOnSignals = false }: { readonly stopOnSignals?: boolean },
): AbortSignal {
  const halt = new AbortController();
  void store.lost.then((reason) => {
    log.error("store.lost", { reason });
    halt.abort(new ActrError("lease_lost", reason));
  });
  if (stopOnSignals) {
    const forget = onStopSignal((name) => {
      log.info("process.stop_signal", { name });
      halt.abort(new ActrError("stopping", `the process was sent ${name}`));
    });
    undo.push("signals", forget);
  }
  return halt.signal;
}
