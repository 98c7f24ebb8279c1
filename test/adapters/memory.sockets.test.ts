import { FakeClock } from "../../adapters/memory/fake_clock.ts";
import { MemoryNetwork } from "../../adapters/memory/memory_sockets.ts";
import { socketsConformance } from "../conformance/sockets.ts";

const network = new MemoryNetwork(new FakeClock());

socketsConformance("memory", () => network.sockets(), { fetch: network.fetch });
