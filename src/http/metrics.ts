import type { Node } from "../node/node.ts";
import type { SystemLoad } from "../ports/system_meter.ts";

/** One figure with its stable name. */
interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly value: number;
}

/** All figures of a node in Prometheus text form. They are read when asked for: nothing is counted twice, nothing runs meanwhile. */
export function metricsText(node: Node): string {
  return metricsOf(node)
    .map(
      ({ name, type, help, value }) =>
        `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`,
    )
    .join("");
}

function metricsOf(node: Node): Metric[] {
  const { inbound, outbound, presence, hooks, components } = node;
  const mailbox = inbound.mailbox.status();
  return [
    gauge("roost_up", "1 while the node takes requests.", node.phase === "running" ? 1 : 0),
    gauge(
      "roost_uptime_seconds",
      "Seconds since the start.",
      (components.clock.now() - node.startedAt) / 1000,
    ),
    gauge(
      "roost_signaling_connected",
      "1 while signaling is connected.",
      presence.signaling.connected ? 1 : 0,
    ),
    gauge("roost_peers", "Peers with at least one link.", outbound.sessions.size),
    gauge("roost_calls_pending", "Own calls that wait for an answer.", outbound.pending.size),
    gauge("roost_mailbox_queued", "Messages that wait to be handled.", mailbox.queued),
    gauge("roost_mailbox_in_flight", "Messages being handled.", mailbox.inFlight),
    gauge("roost_mailbox_bytes", "Bytes of both.", mailbox.bytes),
    counter("roost_requests_total", "Messages whose handler has ended.", inbound.handled),
    counter("roost_requests_refused_total", "Messages refused before a handler.", inbound.refused),
    counter("roost_frames_dropped_total", "Frames that could not be taken.", inbound.gate.dropped),
    counter(
      "roost_replies_undeliverable_total",
      "Answers without a link.",
      inbound.replier.undeliverable,
    ),
    counter("roost_dead_letters_total", "Dead letters written.", inbound.deadLetters.count),
    counter("roost_hook_events_dropped_total", "Hook events dropped.", hooks.dropped),
    ...streamMetrics(node),
    ...systemMetrics(components.meter?.load()),
  ];
}

function streamMetrics({ inbound: { streams }, outbound: { chunks } }: Node): Metric[] {
  return [
    gauge("roost_streams", "Streams that are registered.", streams.size),
    counter("roost_stream_chunks_total", "Chunks taken.", streams.tally.received),
    counter(
      "roost_stream_chunks_overflowed_total",
      "Chunks that came too late.",
      streams.tally.overflowed,
    ),
    counter("roost_stream_chunks_unsent_total", "Chunks too late to be sent.", chunks.dropped),
    counter("roost_stream_failures_total", "Chunks whose handler failed.", streams.tally.failed),
    counter("roost_stream_holds_total", "Times a connection was held back.", streams.tally.held),
  ];
}

/** What the runtime can tell of itself. */
function systemMetrics({ eventLoopDelayMs, memory }: SystemLoad = {}): Metric[] {
  const delay = "How late timers fire, on the average of the last seconds.";
  return [
    ...(eventLoopDelayMs === undefined
      ? []
      : [gauge("roost_event_loop_delay_seconds", delay, eventLoopDelayMs / 1000)]),
    ...(memory === undefined
      ? []
      : [
          gauge("roost_memory_bytes", "Memory in use.", memory.usedBytes),
          gauge("roost_memory_limit_bytes", "Memory that may be used.", memory.limitBytes),
        ]),
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, type: "gauge", help, value };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, type: "counter", help, value };
}
