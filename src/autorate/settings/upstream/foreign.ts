/** Settings of the other programs that are no key of a link here, and what is in their place. */
import { BOTH_PROGRAMS, type UpstreamName } from "../names.ts";

/** A setting without a key. */
export interface ForeignSetting {
  readonly name: UpstreamName;
  /** Half a sentence: why it is not carried over, or how it is. */
  readonly instead: string;
}

const METRICS = "sluiced has metrics of its own, for Prometheus (docs/daemon.md)";

const observability = (option: string): ForeignSetting => ({
  name: { field: `observability.${option}`, programs: ["rust"] },
  instead: METRICS,
});

/** All of them. */
export const FOREIGN_SETTINGS: readonly ForeignSetting[] = [
  {
    name: { field: "output.log_level", programs: BOTH_PROGRAMS, flags: ["--log-level", "--ll"] },
    instead: 'the levels of all logs are in [log], such as levels = "info,autorate=debug"',
  },
  {
    name: {
      field: "output.suppress_statistics",
      programs: BOTH_PROGRAMS,
      flags: ["--suppress-statistics", "--no-statistics", "--ns"],
    },
    instead: "statistics are written where stats_file and speed_history_file say so",
  },
  {
    name: { field: "output.use_syslog", programs: ["lua"] },
    instead: "sluiced logs to stderr, and so to the journal or the log of whatever starts it",
  },
  {
    name: { field: "advanced_settings.reflector_type", programs: ["lua"], flags: ["--reflector-type"] },
    instead: "sqm-autorate does not use it either: it asks for timestamps by ICMP and nothing else",
  },
  {
    name: { field: "advanced_settings.min_change_interval", programs: ["rust"] },
    instead: "how often a rate may change is the controller's own affair; ewma decides every 0.5 s",
  },
  { name: { field: "network.measurement_fib", programs: ["rust"] }, instead: "it is for FreeBSD" },
  ...["enabled", "protocol", "host", "port", "batch_size", "batch_timeout_ms"].map((option) => observability(option)),
  ...["export_ping_metrics", "export_rate_metrics", "export_baseline_metrics", "export_events", "host_tag"].map(
    (option) => observability(option),
  ),
];
