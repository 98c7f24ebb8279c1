/**
 * The suite of each port, for whoever writes an adapter: an adapter exists when its suite is green
 * on every runtime that it claims. The suites register tests with `node:test`.
 *
 * @example
 * ```ts
 * import { storeConformance } from "@roost/edge/conformance";
 *
 * storeConformance("mine", async () => ({ ... }));
 * ```
 * @module
 */

export { type ClockFixture, clockConformance } from "./clock.ts";
export { mediaConformance } from "./media.ts";
export type { Instruments } from "./media_stage.ts";
export { peerConnectionsConformance } from "./peer_connections.ts";
export { randomConformance } from "./random.ts";
export { type SocketsReach, socketsConformance } from "./sockets.ts";
export { type SqlDatabasesFixture, sqlDatabasesConformance } from "./sql_databases.ts";
export { type SqlDriverFixture, sqlDriverConformance } from "./sql_driver.ts";
export { type StoreFixture, storeConformance } from "./store.ts";
export { type TransportFixture, transportConformance } from "./transport.ts";
