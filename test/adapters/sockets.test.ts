import { nodeSockets } from "../../adapters/node/sockets.ts";
import { socketsConformance } from "../conformance/sockets.ts";

socketsConformance("node:http and ws", nodeSockets);
