import { counter, gauge, type Metric, type Sample } from "../exposition.ts";
import type { Node } from "../node/node.ts";
import type { Link } from "../ports/transport.ts";
import { addCarried, type Carried, type TransportCounts } from "../session/link_counts.ts";
import { local } from "../session/local_link.ts";

/** One transport: the links that it has, and what became of those that it had. */
interface Way {
  readonly transport: string;
  readonly links: readonly Link[];
  readonly counts: TransportCounts;
  /** By links of now and before. */
  readonly carried: Carried;
}

/** Figures of links by transport. Their labels are those of code, never of peers; each is there from the start, so that no line comes and goes. */
export function linkMetrics({ outbound: { sessions }, transports }: Node): Metric[] {
  const links = [...sessions.sessions()].flatMap((session) => [...session.links]);
  const ways = [...transports, local].map((transport) =>
    wayOf(transport, links, sessions.counts.of(transport)),
  );
  return [...standing(ways), ...histories(ways), ...traffic(ways)];
}

function wayOf(transport: string, all: readonly Link[], counts: TransportCounts): Way {
  const links = all.filter((link) => link.transport === transport);
  const carried = { ...counts.carried };
  for (const { figures } of links) addCarried(carried, figures);
  return { transport, links, counts, carried };
}

function standing(ways: readonly Way[]): Metric[] {
  return [
    gauge(
      "roost_links",
      "Links, by transport and by who opened them.",
      each(ways, "direction", ({ links }) => ({
        inbound: links.filter(({ direction }) => direction === "inbound").length,
        outbound: links.filter(({ direction }) => direction === "outbound").length,
      })),
    ),
    gauge(
      "roost_links_relayed",
      "Links that a relay carries.",
      one(ways, ({ links }) => links.filter(({ relayed }) => relayed === true).length),
    ),
    gauge(
      "roost_link_rtt_seconds",
      "The slowest answer to the last heartbeat of a link.",
      one(ways, ({ links }) => Math.max(0, ...links.map(rttMs)) / 1000),
    ),
  ];
}

function histories(ways: readonly Way[]): Metric[] {
  return [
    counter(
      "roost_links_opened_total",
      "Links opened, by who did.",
      each(ways, "direction", ({ counts }) => counts.opened),
    ),
    counter(
      "roost_links_closed_total",
      "Links that ended: closed here, by the peer, or lost.",
      each(ways, "reason", ({ counts }) => counts.closed),
    ),
    counter(
      "roost_link_dials_failed_total",
      "Dials that led to no link.",
      one(ways, ({ counts }) => counts.failedDials),
    ),
    counter(
      "roost_link_interruptions_total",
      "Times that a link stopped to work without ending.",
      one(ways, ({ counts }) => counts.interruptions),
    ),
    counter(
      "roost_link_restarts_total",
      "Times that another path was looked for, as by an ICE restart.",
      one(ways, ({ carried }) => carried.restarts),
    ),
    counter(
      "roost_link_moves_total",
      "Times that requests moved to a link of this transport.",
      each(ways, "reason", ({ counts }) => counts.moves),
    ),
  ];
}

function traffic(ways: readonly Way[]): Metric[] {
  return [
    counter(
      "roost_link_frames_total",
      "Frames carried.",
      each(ways, "way", ({ carried }) => ({
        sent: carried.sentFrames,
        received: carried.receivedFrames,
      })),
    ),
    counter(
      "roost_link_bytes_total",
      "Bytes of their bodies.",
      each(ways, "way", ({ carried }) => ({
        sent: carried.sentBytes,
        received: carried.receivedBytes,
      })),
    ),
  ];
}

function rttMs({ figures }: Link): number {
  return figures?.rttMs ?? 0;
}

function one(ways: readonly Way[], value: (way: Way) => number): Sample[] {
  return ways.map((way) => ({ labels: { transport: way.transport }, value: value(way) }));
}

function each(
  ways: readonly Way[],
  label: string,
  values: (way: Way) => Readonly<Record<string, number>>,
): Sample[] {
  return ways.flatMap((way) =>
    Object.entries(values(way)).map(([name, value]) => ({
      labels: { transport: way.transport, [label]: name },
      value,
    })),
  );
}
