/** How a server takes part in a cluster. */
export interface ResolvedClusterOptions {
  /** Base address at which the other servers reach this one, such as `ws://10.0.0.5:8080`; without one the store carries what they say. */
  readonly peerUrl?: string;
  /** Silence after which a server counts as dead, and its nodes as absent, milliseconds. @default 10000 */
  readonly leaseMs: number;
  /** Pause between two looks for what the store carries, milliseconds. @default 200 */
  readonly pollMs: number;
}

/** What a user may set of them. */
export type ClusterOptions = Partial<ResolvedClusterOptions>;

/** Defaults of {@link ResolvedClusterOptions}. */
const defaultClusterOptions: ResolvedClusterOptions = { leaseMs: 10_000, pollMs: 200 };

/** Options with every default filled in. @throws RangeError when a value is out of range. */
export function resolveClusterOptions(options: ClusterOptions): ResolvedClusterOptions {
  const resolved = { ...defaultClusterOptions, ...options };
  const { leaseMs, pollMs, peerUrl } = resolved;
  if (!(pollMs > 0)) throw new RangeError(`pollMs must be above 0, not ${pollMs}`);
  if (!(leaseMs >= 3 * pollMs)) {
    throw new RangeError(`leaseMs must be at least three times pollMs (${pollMs}), not ${leaseMs}`);
  }
  if (peerUrl !== undefined && !/^(?:ws|http)s?:\/\/[^\s/?#]+[^\s?#]*$/.test(peerUrl)) {
    throw new RangeError(`peerUrl must be an address such as ws://10.0.0.5:8080, not ${peerUrl}`);
  }
  return resolved;
}
