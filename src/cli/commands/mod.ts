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
import { inspectPackageCommand } from "./inspect_package.ts";
import { keysCommand } from "./keys.ts";
import { mailboxCommand } from "./mailbox.ts";
import { packCommand } from "./pack.ts";
import { pingCommand } from "./ping.ts";
import { publishCommand } from "./publish.ts";
import { rendezvousCommand } from "./rendezvous.ts";
import { serveCommand } from "./serve.ts";
import { signCommand } from "./sign.ts";
import { storeCommand } from "./store.ts";
import { verifyCommand } from "./verify.ts";

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
  keysCommand,
  packCommand,
  signCommand,
  verifyCommand,
  inspectPackageCommand,
  publishCommand,
  devNodeCommand,
  doctorWebRtcCommand,
];
