import { counter, gauge, type Metric } from "../exposition.ts";
import { guestFaults } from "../guest/fault.ts";
import type { Node } from "../node/node.ts";

/** Figures of a node's guest; none where the workload is no guest. */
export function guestMetrics({ guest }: Node): Metric[] {
  const status = guest?.status();
  if (status === undefined) return [];
  const { running, queued, memoryBytes, rebuilds, faults, droppedHooks, droppedLogLines } = status;
  const byFault = guestFaults.map((fault) => ({ labels: { fault }, value: faults[fault] ?? 0 }));
  return [
    gauge(
      "roost_guest_up",
      "1 while the guest has an instance.",
      status.state === "running" ? 1 : 0,
    ),
    gauge("roost_guest_entries_running", "Entries in the guest.", running),
    gauge("roost_guest_entries_queued", "Entries that wait for the guest.", queued),
    gauge("roost_guest_memory_bytes", "Linear memory of the guest.", memoryBytes),
    counter("roost_guest_rebuilds_total", "Instances made after faults.", rebuilds),
    counter("roost_guest_faults_total", "What ended instances of the guest.", byFault),
    counter(
      "roost_guest_hooks_dropped_total",
      "Hooks that the guest was too slow for.",
      droppedHooks,
    ),
    counter(
      "roost_guest_log_lines_dropped_total",
      "Lines that the guest logged too fast.",
      droppedLogLines,
    ),
  ];
}
