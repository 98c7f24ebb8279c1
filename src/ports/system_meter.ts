/** How busy the runtime is; what it cannot tell is absent. */
export interface SystemLoad {
  /** How late timers have fired on the average of the last seconds, milliseconds. */
  readonly eventLoopDelayMs?: number;
  /** Memory in use, where there is a limit to it. */
  readonly memory?: { readonly usedBytes: number; readonly limitBytes: number };
}

/** Measures the load of the runtime. */
export interface SystemMeter {
  /** The load now; cheap enough to be asked at every heartbeat. */
  load(): SystemLoad;
}
