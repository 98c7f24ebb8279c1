import { counter, exposition, gauge, type Metric } from "../../exposition.ts";
import type { Store } from "../../ports/store.ts";
import { storeMetrics } from "../../store_metrics.ts";
import { version } from "../../version.ts";
import type { Ais } from "../ais/ais.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SignalingServer } from "../signaling_server.ts";
import type { Count } from "../tally.ts";

/** Where figures come from. */
export interface MetricParts {
  readonly ais: Ais;
  readonly signaling: SignalingServer;
  readonly cluster: Cluster | undefined;
  readonly store: Store;
  /** Of the wall clock, when the rendezvous started. */
  readonly startedAt: number;
}

/** All figures of a rendezvous in Prometheus text form. They are read when asked for: nothing runs meanwhile. */
export function rendezvousMetrics(parts: MetricParts): string {
  return exposition([
    ...standing(parts),
    ...work(parts),
    ...(parts.cluster === undefined ? [] : servers(parts.cluster)),
    ...storeMetrics(parts.store),
  ]);
}

function standing({ ais, signaling, startedAt }: MetricParts): Metric[] {
  const { clock, keys, realms } = ais;
  return [
    gauge("roost_build_info", "1, with the version.", [{ labels: { version }, value: 1 }]),
    gauge("roost_uptime_seconds", "Seconds since the start.", (clock.now() - startedAt) / 1000),
    gauge(
      "roost_rendezvous_connections",
      "Signaling connections that are open here.",
      signaling.connections,
    ),
    gauge("roost_rendezvous_nodes", "Nodes in sight, on every server.", signaling.nodes),
    gauge(
      "roost_rendezvous_realms",
      "Realms; 0 means that every realm is open.",
      realms.list().length,
    ),
    gauge("roost_rendezvous_key_id", "Number of the key that signs.", keys.current.keyId),
  ];
}

function work({ ais: { tally } }: MetricParts): Metric[] {
  return [
    counter(
      "roost_rendezvous_exchanges_total",
      "Answers of the identity service, by what was asked and HTTP status.",
      [...tally.exchanges.entries()].map(([label, value]) => {
        const [exchange = "", status = ""] = label.split(" ");
        return { labels: { exchange, status }, value };
      }),
    ),
    labelled("messages", "Signaling messages, by what they carried.", "payload", tally.messages),
    labelled(
      "refusals",
      "Signaling messages answered with an error, by code.",
      "code",
      tally.refusals,
    ),
  ];
}

function labelled(name: string, help: string, label: string, count: Count): Metric {
  const samples = [...count.entries()].map(([of, value]) => ({ labels: { [label]: of }, value }));
  return counter(`roost_rendezvous_${name}_total`, help, samples);
}

function servers(cluster: Cluster): Metric[] {
  const states = cluster
    .list()
    .map((state) => ({ ...state, labels: { server: `${state.server}` } }));
  return [
    gauge(
      "roost_rendezvous_server_nodes",
      "Nodes connected to each server of the cluster.",
      states.map(({ labels, nodes: value }) => ({ labels, value })),
    ),
    gauge(
      "roost_rendezvous_server_linked",
      "1 where there is a link to the server, or it is this one.",
      states.map(({ labels, linked }) => ({ labels, value: linked ? 1 : 0 })),
    ),
  ];
}
