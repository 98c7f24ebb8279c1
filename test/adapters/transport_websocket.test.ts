import { bunSockets } from "../../adapters/bun/sockets.ts";
import { denoSockets } from "../../adapters/deno/sockets.ts";
import { nodeSockets } from "../../adapters/node/sockets.ts";
import { transportConformance } from "../conformance/transport.ts";
import { websocketFixture } from "./websocket_fixture.ts";

transportConformance("websocket over ws", () => websocketFixture(nodeSockets()));
if ("Bun" in globalThis) {
  transportConformance("websocket over Bun", () => websocketFixture(bunSockets()));
}
if ("Deno" in globalThis) {
  transportConformance("websocket over Deno", () => websocketFixture(denoSockets()));
}
