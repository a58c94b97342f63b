/**
 * What a route of the API is: data. The daemon serves the table, the client calls by it, OpenAPI is made from it, and a
 * test runs every example of it.
 */
import type * as v from "valibot";
import type { Code } from "../core/codes.ts";

/** Any schema. */
export type Schema = v.GenericSchema;

/** Who may call: whoever may read, or only those who may change something. */
export type Access = "read" | "change";

/** What a request carries, each part by a schema of its own. Path and query parameters come as texts. */
export interface RequestParts<P extends Schema, Q extends Schema, B extends Schema> {
  /** Parameters of the path, `{id}`. */
  readonly params?: P;
  readonly query?: Q;
  /** A JSON body. */
  readonly body?: B;
}

/** A request that anybody may try, as it is written: path and query as texts. */
export interface Example {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What it answers where examples/isp is shaped, and nothing loaded or attached: 200 when left out. */
  readonly status?: number;
}

/** A route. */
export interface Route<
  P extends Schema = Schema,
  Q extends Schema = Schema,
  B extends Schema = Schema,
  R extends Schema = Schema,
> extends RequestParts<P, Q, B> {
  readonly method: "GET" | "POST" | "PUT";
  /** `/v1/programs/{id}` */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** What it answers: a JSON object, a text in another format, or a stream of server-sent events, each such an object. */
  readonly answers: "json" | "text" | "stream";
  readonly response: R;
  /** What kind of text it is; JSON when left out. */
  readonly mediaType?: string;
  /** It takes If-Match, and answers 412 when the state moved. */
  readonly conditional?: true;
  /** Bytes that the body may have; 64 KiB when left out. */
  readonly bodyLimit?: number;
  /** Codes that its errors have, besides those that any route may answer with. */
  readonly errors?: readonly Code[];
  readonly example: Example;
}

/** Makes a route; what is left out is `answers: "json"`. */
export const route = <R extends Schema, P extends Schema = never, Q extends Schema = never, B extends Schema = never>(
  row: Omit<Route<P, Q, B, R>, "answers"> & { readonly answers?: Route["answers"] },
): Route<P, Q, B, R> => ({ answers: "json", ...row });

/** What the parts of a request are once they have been read. */
export type InputOf<T> =
  T extends Route<infer P, infer Q, infer B>
    ? {
        readonly params: [P] extends [never] ? undefined : v.InferOutput<P>;
        readonly query: [Q] extends [never] ? undefined : v.InferOutput<Q>;
        readonly body: [B] extends [never] ? undefined : v.InferOutput<B>;
      }
    : never;

/** What a caller gives: parameters before they are read. Parts that the route does not have are left out. */
export type CallOf<T> =
  T extends Route<infer P, infer Q, infer B>
    ? ([P] extends [never] ? object : { readonly params: v.InferInput<P> }) &
        ([Q] extends [never] ? object : { readonly query?: v.InferInput<Q> }) &
        ([B] extends [never] ? object : { readonly body: v.InferInput<B> })
    : never;

/** What it answers. */
export type OutputOf<T> = T extends Route<infer _P, infer _Q, infer _B, infer R> ? v.InferOutput<R> : never;
