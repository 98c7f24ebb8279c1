import type { AnyActor } from "./actor.ts";
import type { Context, RequestContext } from "./context.ts";
import type { GuestDefinition } from "./guest.ts";
import type { Hooks } from "./hooks.ts";
import type { NodeOptionsInput } from "./options.ts";
import type { Dependency } from "./protocol/dependencies.ts";
import { type ActrType, parseActrType } from "./protocol/ids.ts";
import type {
  KeyFieldOf,
  RequestOf,
  ResponseInitOf,
  ServedMethod,
  ServiceDescriptor,
  StreamMethod,
} from "./protocol/service.ts";
import type { Reply } from "./reply.ts";

/** Answers with what it returns. */
export type Handler<Request, Response> = (
  request: Request,
  context: Context,
) => Response | Promise<Response>;

/** Takes the reply and answers when it likes, also after it has returned: then the next request may begin. */
export interface ExplicitHandler<Request, Response> {
  explicit(request: Request, context: Context, reply: Reply<Response>): void | Promise<void>;
}

/**
 * Answers with a stream: every message that it yields, one whenever the caller has room for it. The stream ends when
 * it returns and fails with what it throws. Its key is free, and the next request may begin, once it has been called.
 */
export type StreamHandler<Request, Response> = (
  request: Request,
  context: RequestContext,
) => AsyncIterable<Response>;

/** Handlers of a service's methods: the request first, the context second. */
export type Handlers<S extends ServiceDescriptor> = {
  readonly [Name in ServedMethod<S>]: Name extends StreamMethod<S>
    ? StreamHandler<RequestOf<S, Name>, ResponseInitOf<S, Name>>
    :
        | Handler<RequestOf<S, Name>, ResponseInitOf<S, Name>>
        | ExplicitHandler<RequestOf<S, Name>, ResponseInitOf<S, Name>>;
};

/**
 * Which calls wait for each other: those of the same caller (`sender`), or with the same value of a `field` of
 * the request. All others run at once. Methods that name one `domain` share their keys; by default a method
 * has its own. A request whose field is missing, repeated or malformed runs alone.
 */
export type ConflictKey<Request> = { readonly domain?: string } & (
  | { readonly sender: true; readonly field?: never }
  | { readonly field: KeyFieldOf<Request>; readonly sender?: never }
);

/** How one method that answers with a stream is handled. */
export interface StreamMethodOptions<Request = unknown> {
  /** Which of its calls, as far as they open a stream, wait for each other. @default none: a call runs alone */
  readonly conflictKey?: ConflictKey<Request>;
  /** Who may call it. @default whom its service allows */
  readonly acl?: readonly AclRule[];
}

/** How one method is handled. */
export interface MethodOptions<Request = unknown> {
  /** Who may call it. @default whom its service allows */
  readonly acl?: readonly AclRule[];
  /** Puts calls on disk before they count as accepted. @default false */
  readonly durable?: boolean;
  /** Which of its calls wait for each other. @default none: a call runs alone */
  readonly conflictKey?: ConflictKey<Request>;
  /**
   * Whether a call that a handler of this node waits for runs in the middle of that handler when it would
   * have to wait for it. Otherwise such a call is refused. @default false
   */
  readonly reentrant?: boolean;
}

/** What a service is made of. */
export interface ServiceInit<S extends ServiceDescriptor> {
  readonly handlers: Handlers<S>;
  readonly methods?: {
    readonly [Name in ServedMethod<S>]?: Name extends StreamMethod<S>
      ? StreamMethodOptions<RequestOf<S, Name>>
      : MethodOptions<RequestOf<S, Name>>;
  };
  /** Who may call it, where a method says nothing else. Whom a wider list denies stays denied. @default whom the node allows */
  readonly acl?: readonly AclRule[];
  readonly hooks?: Hooks;
}

/** A service as data: nothing runs until a node serves it. */
export interface ServiceDefinition<S extends ServiceDescriptor = ServiceDescriptor>
  extends ServiceInit<S> {
  readonly kind: "service";
  readonly descriptor: S;
}

/**
 * Defines a service by its generated descriptor and a handler per method.
 *
 * @example
 * ```ts
 * const echo = service(EchoService, {
 *   handlers: { echo: (request) => ({ reply: `Echo: ${request.message}` }) },
 * });
 * ```
 */
export function service<S extends ServiceDescriptor>(
  descriptor: S,
  init: ServiceInit<S>,
): ServiceDefinition<S> {
  return { kind: "service", descriptor, ...init };
}

/** How the methods of a forwarded service are served here. Without a conflict key, calls wait for none of each other. */
export interface ForwardInit<S extends ServiceDescriptor> {
  readonly methods?: {
    readonly [Name in ServedMethod<S>]?: StreamMethodOptions<RequestOf<S, Name>>;
  };
  /** Who may call it, as of {@link ServiceInit}. */
  readonly acl?: readonly AclRule[];
  readonly hooks?: Hooks;
}

/** A service that other nodes serve, as data. */
export interface ForwardDefinition<S extends ServiceDescriptor = ServiceDescriptor>
  extends ForwardInit<S> {
  readonly kind: "forward";
  readonly descriptor: S;
  /** The type of the nodes that serve it, version included. */
  readonly type: ActrType;
}

/**
 * Serves a service by having nodes of another type answer: requests are passed on as they are, to a node found by
 * discovery. Deadline, trace, and who waits for whom go along; who asks does not: the other node sees this one.
 * @throws ActrError `invalid_argument` for a type that is none.
 *
 * @example
 * ```ts
 * export const gateway = defineNode({ services: [forward(EchoService, "acme:EchoService:1.0.0")] });
 * ```
 */
export function forward<S extends ServiceDescriptor>(
  descriptor: S,
  type: ActrType | string,
  init: ForwardInit<S> = {},
): ForwardDefinition<S> {
  const target = typeof type === "string" ? parseActrType(type) : type;
  return { kind: "forward", descriptor, type: target, ...init };
}

/** What a node can serve. */
// biome-ignore lint/suspicious/noExplicitAny: services of different descriptors stand side by side; each was checked against its own.
export type AnyService = ServiceDefinition<any> | ForwardDefinition<any>;

/** Realm that an access rule speaks of: the node's own, any, or one by number. */
export type RuleRealm = "self" | "*" | number;

/** One access rule; types match exactly, version included (`spec/protocol.md` §9). */
export interface AclRule {
  readonly permission: "allow" | "deny";
  /** `manufacturer:name:version` of the caller. */
  readonly type: string;
  /** @default "self" */
  readonly realm?: RuleRealm;
}

/** What a node tells discovery of its services, beside what their files mean. */
export interface NodeSpec {
  /** What the description is asked for by. @default the name in the node's type */
  readonly name?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
}

/** What a node is made of. */
export interface NodeInit {
  /** What it is: `manufacturer:name:version`. @default "local:Client:0.0.0", or what the package of its guest is */
  readonly type?: string;
  readonly services?: readonly AnyService[];
  /** Code that the node does not trust, in the place of `services`: a verified package. What it may reach beside peers are `host` services. */
  readonly guest?: GuestDefinition;
  /** Keyed, durable actors that it hosts, by the name that clients know them by. */
  readonly actors?: Readonly<Record<string, AnyActor>>;
  /** Who may call, where a service or method says nothing else. Without rules everybody, with an empty list nobody; a matching deny wins. */
  readonly acl?: readonly AclRule[];
  /**
   * Which peers may call its actors, where that is not as for its services; whom `acl` denies stays denied. Over HTTP
   * actors are open to who sends the `actorToken`. @default as `acl`
   */
  readonly actorAcl?: readonly AclRule[];
  /** What the embedding program offers to this node's own handlers, and to nobody else: the destination `host`. */
  readonly host?: readonly AnyService[];
  /** What it was built against: discovery prefers nodes with these descriptions, and finds no other types. @default what the lock file of its guest's package names, else any type, whatever its description */
  readonly dependencies?: readonly Dependency[];
  /**
   * Tells whoever may find the node what its services mean: files with their fingerprints. `false` tells nothing, as for
   * files that have none; a real actrix shows descriptions to every realm. @default what its services' files mean
   */
  readonly spec?: NodeSpec | false;
  readonly hooks?: Hooks;
  /** Further observers: each is told everything that `hooks` are told, beside them. */
  readonly observers?: readonly Hooks[];
  readonly options?: NodeOptionsInput;
}

/** A node as data: nothing runs until it is served. */
export interface NodeDefinition extends NodeInit {
  readonly kind: "node";
}

/**
 * Defines a node by the services that it serves.
 *
 * @example
 * ```ts
 * export const app = defineNode({ type: "acme:EchoService:1.0.0", services: [echo] });
 * ```
 */
export function defineNode<Init extends NodeInit>(init: Init): NodeDefinition & Init {
  return { kind: "node", ...init };
}
