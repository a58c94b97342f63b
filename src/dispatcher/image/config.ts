/** The configuration of an image: what it is for, and the labels that say what its object holds. */
import { ImageFault, quoted } from "./fault.ts";
import { isRecord, parseRecord, textOf } from "./json.ts";
import type { Platform } from "./document.ts";

/** What of a configuration matters here. */
export interface ImageConfig {
  readonly platform?: Platform;
  /** Type by function, from the label `io.ebpf.programs`; empty without it. */
  readonly programs: ReadonlyMap<string, string>;
  /** Type by map, from the label `io.ebpf.maps`; empty without it. */
  readonly maps: ReadonlyMap<string, string>;
}

const NAME = /^[A-Za-z_.][\w.]{0,255}$/;
const TYPE = /^[a-z][a-z0-9_]{0,63}$/;
const EXAMPLES = { "io.ebpf.programs": '{"pass":"xdp"}', "io.ebpf.maps": '{"counts":"hash"}' } as const;

function parseLabel(labels: unknown, label: keyof typeof EXAMPLES): ReadonlyMap<string, string> {
  const text: unknown = isRecord(labels) ? labels[label] : undefined;
  if (text === undefined || text === null || text === "") return new Map();
  const refuse = (reason: string, cause?: unknown): ImageFault =>
    new ImageFault("IMAGE_LABEL", { label, reason, example: EXAMPLES[label] }, { cause });
  if (typeof text !== "string") throw refuse("it is no text");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`${quoted(text)} is no JSON`, error);
  }
  if (!isRecord(value)) throw refuse(`${quoted(text)} is no JSON object`);
  const entries = Object.entries(value).map(([name, type]): [string, string] => {
    if (!NAME.test(name)) throw refuse(`${quoted(name)} is no name of C`);
    if (typeof type !== "string" || !TYPE.test(type))
      throw refuse(`${quoted(name)} has the type ${quoted(JSON.stringify(type))}, which is no name of a type`);
    return [name, type];
  });
  return new Map(entries);
}

/** Reads a configuration. @throws ImageFault IMAGE_INVALID, IMAGE_LABEL */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const what = "its configuration";
  const record = parseRecord(bytes, what);
  const os = textOf(record, "os", what);
  const architecture = textOf(record, "architecture", what);
  const labels = isRecord(record["config"]) ? record["config"]["Labels"] : undefined;
  return {
    ...(os !== undefined && architecture !== undefined && { platform: { os, architecture } }),
    programs: parseLabel(labels, "io.ebpf.programs"),
    maps: parseLabel(labels, "io.ebpf.maps"),
  };
}
