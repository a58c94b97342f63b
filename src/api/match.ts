/** Which route a request is for. Pure. */
import { sluiceError } from "../core/errors.ts";
import type { Route } from "./route.ts";
import { type RouteName, routeRows } from "./routes.ts";

/** A route that was found, with the parameters of its path. */
export interface Matched {
  readonly name: RouteName;
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface Row {
  readonly name: RouteName;
  readonly route: Route;
  readonly segments: readonly string[];
  /** Segments that are not parameters: the more, the more it is meant. */
  readonly fixed: number;
}

const isParameter = (segment: string): boolean => segment.startsWith("{");

const ROWS: readonly Row[] = routeRows()
  .map(([name, route]) => {
    const segments = route.path.split("/").slice(1);
    return { name, route, segments, fixed: segments.filter((segment) => !isParameter(segment)).length };
  })
  .toSorted((a, b) => b.fixed - a.fixed);

/** A segment as it was meant; one with a broken escape is as it is. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function paramsOf(row: Row, segments: readonly string[]): Record<string, string> | undefined {
  if (row.segments.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, wanted] of row.segments.entries()) {
    const given = segments[i]!;
    if (isParameter(wanted)) params[wanted.slice(1, -1)] = decoded(given);
    else if (wanted !== given) return undefined;
  }
  return params;
}

const SHOWN = 100;

/** Finds the route. @throws SluiceError ROUTE_UNKNOWN, METHOD_NOT_ALLOWED */
export function match(method: string, path: string): Matched {
  const segments = path.split("/").slice(1);
  const found = ROWS.flatMap((row) => {
    const params = paramsOf(row, segments);
    return params ? { name: row.name, route: row.route, params } : [];
  });
  const hit = found.find(({ route }) => route.method === method);
  if (hit) return hit;
  const shown = path.slice(0, SHOWN);
  if (found.length === 0) throw sluiceError("ROUTE_UNKNOWN", { method: method.slice(0, SHOWN), path: shown });
  const methods = [...new Set(found.map(({ route }) => route.method))].join(" or ");
  throw sluiceError("METHOD_NOT_ALLOWED", { method: method.slice(0, SHOWN), path: shown, methods });
}
