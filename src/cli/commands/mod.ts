import type { Command } from "../command.ts";
import { actorsCommand } from "./actors.ts";
import { alarmsCommand } from "./alarms.ts";
import { callCommand, tellCommand } from "./call.ts";
import { depsCommand } from "./deps.ts";
import { devCommand } from "./dev.ts";
import { devNodeCommand } from "./dev_node.ts";
import { discoverCommand } from "./discover.ts";
import { dlqCommand } from "./dlq.ts";
import { doctorCommand } from "./doctor.ts";
import { doctorWebRtcCommand } from "./doctor_webrtc.ts";
import { fingerprintCommand } from "./fingerprint.ts";
import { mailboxCommand } from "./mailbox.ts";
import { pingCommand } from "./ping.ts";
import { rendezvousCommand } from "./rendezvous.ts";
import { serveCommand } from "./serve.ts";
import { storeCommand } from "./store.ts";

/** Every command of `roost`, as the help lists them. */
export const commands: readonly Command[] = [
  devCommand,
  serveCommand,
  rendezvousCommand,
  callCommand,
  tellCommand,
  discoverCommand,
  pingCommand,
  mailboxCommand,
  dlqCommand,
  actorsCommand,
  alarmsCommand,
  storeCommand,
  doctorCommand,
  fingerprintCommand,
  depsCommand,
  devNodeCommand,
  doctorWebRtcCommand,
];
