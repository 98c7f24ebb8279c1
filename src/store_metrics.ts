import { counter, gauge, histogram, type Metric } from "./exposition.ts";
import type { Store, StoreWrites } from "./ports/store.ts";

/** Figures of a store. */
export function storeMetrics({ fault, writes }: Pick<Store, "fault" | "writes">): Metric[] {
  const faulty = fault === undefined ? 0 : 1;
  return [
    gauge("roost_store_fault", "1 while the store cannot write.", faulty),
    ...(writes === undefined ? [] : writeMetrics(writes)),
  ];
}

function writeMetrics({ commits, transactions }: StoreWrites): Metric[] {
  return [
    counter("roost_store_commits_total", "Commits; several share a transaction.", commits),
    histogram(
      "roost_store_transaction_duration_seconds",
      "How long transactions took.",
      transactions,
    ),
  ];
}
