import type { Context } from "./context.ts";
import type { Hooks } from "./hooks.ts";
import type { NodeOptionsInput } from "./options.ts";
import type {
  RequestOf,
  ResponseInitOf,
  ServiceDescriptor,
  UnaryMethod,
} from "./protocol/service.ts";

/** Handlers of a service's unary methods: the request first, the context second. */
export type Handlers<S extends ServiceDescriptor> = {
  readonly [Name in UnaryMethod<S>]: (
    request: RequestOf<S, Name>,
    context: Context,
  ) => ResponseInitOf<S, Name> | Promise<ResponseInitOf<S, Name>>;
};

/** How one method is handled. */
export interface MethodOptions {
  /** Puts calls on disk before they count as accepted. @default false */
  readonly durable?: boolean;
}

/** What a service is made of. */
export interface ServiceInit<S extends ServiceDescriptor> {
  readonly handlers: Handlers<S>;
  readonly methods?: { readonly [Name in UnaryMethod<S>]?: MethodOptions };
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

/** What a node is made of. */
export interface NodeInit {
  /** What it is: `manufacturer:name:version`. @default "local:Client:0.0.0" */
  readonly type?: string;
  // biome-ignore lint/suspicious/noExplicitAny: services of different descriptors stand side by side; each was checked against its own.
  readonly services?: readonly ServiceDefinition<any>[];
  /** Who may call. Without rules everybody, with an empty list nobody; a matching deny wins. */
  readonly acl?: readonly AclRule[];
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
