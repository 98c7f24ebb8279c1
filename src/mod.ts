/**
 * Roost: services and peers for Node, Deno and Bun. Definitions are data; a runtime's entry point
 * (`@roost/edge/node`, `/deno`, `/bun`) serves them.
 * @module
 */

export {
  type Action,
  type ActionContext,
  type ActionOptions,
  type Actions,
  type ActorContext,
  type ActorDefinition,
  type ActorHooks,
  type ActorInit,
  type ActorKey,
  type ActorQueues,
  type ActorShape,
  type AnyActor,
  type AwaitOptions,
  actor,
  type BackgroundWork,
  type CompletionOf,
  type Connection,
  type CreateContext,
  type CronOptions,
  type ErrorSource,
  type EventDefinition,
  type Events,
  event,
  type HistoryOptions as ScheduleHistoryOptions,
  type Initial,
  type IterateOptions,
  type KeyValues,
  type MessageIn,
  type MessageOf,
  type PayloadOf,
  type QueueDefinition,
  type QueueMessage,
  type QueueNameOf,
  type QueueOutcome,
  type QueuePolicy,
  type QueueSendOptions,
  type Queues,
  queue,
  type RawSocket,
  type RawSocketHandler,
  type ReceiveOptions as QueueReceiveOptions,
  type SaveOptions,
  type Schedule,
  type ScheduleFire,
  type ScheduleOptions,
  type SchedulePolicy,
  type ScheduleRun,
  type Schedules,
  type Schema,
  type SchemaResult,
  type ShapeOf,
  type Sql,
  type SqlDefinition,
  type SqlMigration,
  type SqlStatements,
  type TurnKind,
} from "./actor.ts";
export type {
  ActorAccess,
  ActorHandle,
  ActorMethods,
  ActorsOf,
  ClientConnection,
  ConnectionMethods,
  ConnectionStatus,
  CreateOptions,
  HandleOptions,
  SendOptions,
  WithActors,
} from "./actor_client.ts";
export type {
  ActorCallOptions,
  CallOptions,
  ClientMethod,
  ClientStreamMethod,
  Context,
  Destination,
  DiscoverOptions,
  NodeContext,
  RequestContext,
  ServiceClient,
  State,
  StreamCallOptions,
  TellOptions,
} from "./context.ts";
export {
  type AclRule,
  type AnyService,
  type ConflictKey,
  defineNode,
  type ExplicitHandler,
  type ForwardDefinition,
  type ForwardInit,
  forward,
  type Handler,
  type Handlers,
  type MethodOptions,
  type NodeDefinition,
  type NodeInit,
  type NodeSpec,
  type RuleRealm,
  type ServiceDefinition,
  type ServiceInit,
  type StreamHandler,
  type StreamMethodOptions,
  service,
} from "./define.ts";
export {
  ActrError,
  type ActrErrorOptions,
  type ErrorCode,
  type ErrorDetails,
  type ErrorKind,
  errorCodes,
  type NodeErrorCode,
} from "./errors.ts";
export { defaultGuestOptions, type GuestOptions } from "./guest/life/options.ts";
export type { GuestStatus } from "./guest/life/status.ts";
export type { PackageFault } from "./guest/package/package_error.ts";
export type { PackageLimits } from "./guest/package/package_limits.ts";
export type { PackageManifest } from "./guest/package/package_manifest.ts";
export { peekManifest } from "./guest/package/peek.ts";
export type { VerifiedPackage } from "./guest/package/verified_package.ts";
export { verifyPackage } from "./guest/package/verify.ts";
export { chainTrust } from "./guest/trust/chain_trust.ts";
export { publicKeyIn, signingKeyIn } from "./guest/trust/key_file.ts";
export { type TrustRefusal, trustRefusalOf } from "./guest/trust/refusal.ts";
export { staticTrust } from "./guest/trust/static_trust.ts";
export { trustNobody } from "./guest/trust/trust_nobody.ts";
export type { TrustOptions, TrustProvider } from "./guest/trust/trust_provider.ts";
export type {
  GuestConflictKey,
  GuestDefinition,
  GuestIsolation,
  GuestMethodOptions,
} from "./guest.ts";
export type { BackpressureEvent, CredentialEvent, ErrorEvent, Hooks, PeerEvent } from "./hooks.ts";
export type { HostErrorCode, UserErrorCode } from "./host_errors.ts";
export { type ActorOptions, type ActorOptionsInput, defaultActorOptions } from "./host_options.ts";
export type {
  ManufacturerConsent,
  ManufacturerProver,
  ProofSubject,
} from "./identity/package_registration.ts";
export type {
  LiveTrack,
  LiveTrackHandler,
  Media,
  MediaCodec,
  MediaSample,
  MediaTrack,
  RawFormat,
  SampleHandler,
  TrackOptions,
} from "./media.ts";
export type {
  AppLifecycle,
  CleanupRequest,
  NetworkAction,
  NetworkEvent,
  NetworkPath,
  ReconnectRequest,
} from "./node/network_event.ts";
export { NetworkEvents, type NetworkResult } from "./node/network_events.ts";
export { defaultNodeOptions, type NodeOptions, type NodeOptionsInput } from "./options.ts";
export type { DataChunk } from "./protocol/data_chunk.ts";
export type { Dependency } from "./protocol/dependencies.ts";
export {
  type ActrId,
  type ActrType,
  formatActrId,
  formatActrType,
  parseActrId,
  parseActrType,
} from "./protocol/ids.ts";
export {
  type LockedDependency,
  type LockedFile,
  type ManifestLock,
  parseLock,
} from "./protocol/manifest/lock.ts";
export type { MetadataEntry } from "./protocol/metadata.ts";
export type { Reply } from "./reply.ts";
export type { DescriptionFile, DiscoveredType, ServiceDescription } from "./signaling/answers.ts";
export type {
  ChunkHandler,
  ChunkInit,
  ReceiveOptions,
  SendChunkOptions,
  StreamReader,
  StreamSource,
  Streams,
  StreamWriter,
} from "./stream.ts";
export { version } from "./version.ts";
export type {
  Branch as WorkflowBranch,
  EntryKind as WorkflowEntryKind,
  EntryOptions as WorkflowEntryOptions,
  Frozen,
  InterleavedStepContext,
  InterleavedStepOptions,
  LoopOptions,
  LoopResult,
  MessageOptions as WorkflowMessageOptions,
  RaceResult,
  StepContext,
  StepOptions,
  StepPolicy,
  StepSchedules,
  WorkflowContext,
  WorkflowDefinition,
  WorkflowLimits,
  WorkflowMessage,
} from "./workflow.ts";
