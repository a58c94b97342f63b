/** The API: every route by its name. */
import { AUTORATE_ROUTES } from "./routes/autorate.ts";
import { DISPATCHER_ROUTES } from "./routes/dispatcher.ts";
import { RELAY_ROUTES } from "./routes/relay.ts";
import { SHAPER_ROUTES } from "./routes/shaper.ts";
import { SYSTEM_ROUTES } from "./routes/system.ts";
import type { CallOf, InputOf, OutputOf, Route } from "./route.ts";

/** Every route. */
export const ROUTES = {
  ...SYSTEM_ROUTES,
  ...SHAPER_ROUTES,
  ...DISPATCHER_ROUTES,
  ...AUTORATE_ROUTES,
  ...RELAY_ROUTES,
} as const;

/** The name of a route, `shaper.plan`. */
export type RouteName = keyof typeof ROUTES;
/** What a handler is given. */
export type Input<N extends RouteName> = InputOf<(typeof ROUTES)[N]>;
/** What a caller gives. */
export type Call<N extends RouteName> = CallOf<(typeof ROUTES)[N]>;
/** What it answers. */
export type Output<N extends RouteName> = OutputOf<(typeof ROUTES)[N]>;

/** Rows without their types, for who treats all alike. */
export const routeRows = (): readonly (readonly [RouteName, Route])[] =>
  Object.entries(ROUTES) as unknown as (readonly [RouteName, Route])[];
