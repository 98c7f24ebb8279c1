import { counter, exposition, gauge, histogram, type Metric } from "../exposition.ts";
import type { Node } from "../node/node.ts";
import type { SystemLoad } from "../ports/system_meter.ts";
import { storeMetrics } from "../store_metrics.ts";
import { version } from "../version.ts";
import { guestMetrics } from "./guest_metrics.ts";
import { linkMetrics } from "./link_metrics.ts";

/** All figures of a node in Prometheus text form; README.md beside this file lists them. They are read when asked for: nothing is counted twice, nothing runs meanwhile. */
export function metricsText(node: Node): string {
  return exposition([
    ...standing(node),
    ...connections(node),
    ...mailbox(node),
    ...handlers(node),
    ...streams(node),
    ...actorsAwake(node),
    ...actorShards(node),
    ...guestMetrics(node),
    ...storeMetrics(node.components.store),
    ...system(node.components.meter?.load()),
  ]);
}

function standing({ phase, components, presence, startedAt, hooks }: Node): Metric[] {
  const { current, phase: session } = presence.session;
  const uptimeMs = components.clock.now() - startedAt;
  return [
    gauge("roost_build_info", "1, with the version.", [{ labels: { version }, value: 1 }]),
    gauge("roost_up", "1 while the node takes requests.", phase === "running" ? 1 : 0),
    gauge("roost_uptime_seconds", "Seconds since the start.", uptimeMs / 1000),
    gauge(
      "roost_signaling_connected",
      "1 while signaling is connected.",
      presence.signaling.connected ? 1 : 0,
    ),
    gauge(
      "roost_session_active",
      "1 while the rendezvous accepts the node's identity.",
      session === "active" ? 1 : 0,
    ),
    gauge(
      "roost_credential_expiry_timestamp_seconds",
      "When the credential ends, Unix time.",
      current.credentialExpiresAtMs / 1000,
    ),
    counter(
      "roost_identities_total",
      "ActrIds that this process has had for the node.",
      current.generation,
    ),
    counter("roost_hook_events_dropped_total", "Hook events dropped.", hooks.dropped),
  ];
}

function connections(node: Node): Metric[] {
  const { outbound } = node;
  return [
    gauge("roost_peers", "Peers with at least one link.", outbound.sessions.size),
    ...linkMetrics(node),
    gauge("roost_calls_pending", "Own calls that wait for an answer.", outbound.pending.size),
  ];
}

function mailbox({ inbound }: Node): Metric[] {
  const { queuedNormal, queuedHigh, inFlight, bytes } = inbound.mailbox.status();
  return [
    gauge("roost_mailbox_queued", "Messages that wait to be handled, by priority.", [
      { labels: { priority: "normal" }, value: queuedNormal },
      { labels: { priority: "high" }, value: queuedHigh },
    ]),
    gauge("roost_mailbox_in_flight", "Messages being handled.", inFlight),
    gauge("roost_mailbox_bytes", "Bytes of both.", bytes),
    gauge("roost_dedup_entries", "Answers remembered for repeats.", inbound.remembered),
    counter("roost_frames_dropped_total", "Frames that could not be taken.", inbound.gate.dropped),
    counter("roost_dead_letters_total", "Dead letters written.", inbound.deadLetters.count),
  ];
}

function handlers({ inbound }: Node): Metric[] {
  const { running, waiting, overdue, pendingReplies } = inbound.handling.status();
  return [
    counter("roost_requests_total", "Messages whose handler has ended.", inbound.handled),
    counter("roost_requests_refused_total", "Messages refused before a handler.", inbound.refused),
    counter(
      "roost_replies_undeliverable_total",
      "Answers without a link.",
      inbound.replier.undeliverable,
    ),
    gauge("roost_handlers_running", "Handlers that run.", running),
    gauge("roost_handlers_waiting", "Messages that wait for others of their key.", waiting),
    gauge("roost_handlers_overdue", "Handlers that run though their time is up.", overdue),
    gauge("roost_replies_pending", "Explicit replies that are to come.", pendingReplies),
    histogram(
      "roost_handler_duration_seconds",
      "How long handlers took that waited for something.",
      inbound.handling.times,
    ),
  ];
}

function streams({ inbound: { streams }, outbound: { chunks } }: Node): Metric[] {
  const { received, dropped, overflowed, failed, held } = streams.tally;
  return [
    gauge("roost_streams", "Streams that are registered.", streams.size),
    counter("roost_stream_chunks_total", "Chunks taken.", received),
    counter("roost_stream_chunks_dropped_total", "Chunks that nobody took.", dropped),
    counter("roost_stream_chunks_overflowed_total", "Chunks that came too late.", overflowed),
    counter("roost_stream_chunks_unsent_total", "Chunks too late to be sent.", chunks.dropped),
    counter("roost_stream_failures_total", "Chunks whose handler failed.", failed),
    counter("roost_stream_holds_total", "Times a connection was held back.", held),
  ];
}

/** None where all actors live here. */
function actorShards({ actors: { shards } }: Node): Metric[] {
  if (shards === undefined) return [];
  const help = "Shards of actors, of 64, that live on this node.";
  return [gauge("roost_actor_shards", help, shards)];
}

/** None where no actors are defined. */
function actorsAwake({ actors }: Node): Metric[] {
  const samples = [...actors.awakeByName()].map(([actor, value]) => ({ labels: { actor }, value }));
  return samples.length === 0 ? [] : [gauge("roost_actors_awake", "Actors awake.", samples)];
}

/** What the runtime can tell of itself. */
function system({ eventLoopDelayMs, memory }: SystemLoad = {}): Metric[] {
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
