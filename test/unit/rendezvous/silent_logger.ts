import type { Logger } from "../../../src/ports/logger.ts";

/** Writes nothing. */
export const silent: Logger = {
  enabled: () => false,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silent,
};
