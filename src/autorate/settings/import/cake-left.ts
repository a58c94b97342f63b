/** Variables of cake-autorate that have no key here, with what is in their place. */

const LOGS = "sluiced logs to the journal; what a link does is in its stats_file and trace_file";
const REFLECTORS = "how bad reflectors are found and replaced is sluice's own affair";
const COUNTERS = "sluice reads the counters of what it sets";

/** Half a sentence by the name of the variable. */
export const CAKE_LEFT: Readonly<Record<string, string>> = {
  reflectors:
    "sluice comes with a list; put these into a file with the columns reflector_ip,ip_version,description and name it as reflector_file",
  reflectors_url: "lists are read from a file, reflector_file",
  reflectors_url_skip_lines: "lists are read from a file, reflector_file",
  randomize_reflectors: REFLECTORS,
  retain_reflector_stats: REFLECTORS,
  reflector_health_check_interval_s: REFLECTORS,
  reflector_response_deadline_s: REFLECTORS,
  reflector_misbehaving_detection_window: REFLECTORS,
  reflector_misbehaving_detection_thr: REFLECTORS,
  reflector_comparison_interval_mins: REFLECTORS,
  reflector_sum_owd_baselines_delta_thr_ms: REFLECTORS,
  reflector_owd_delta_ewma_delta_thr_ms: REFLECTORS,
  ping_extra_args: "source_interface, source_address and fwmark say where probes leave; nothing else of it has a key",
  ping_prefix_string:
    "sluice sends its probes itself; source_interface, source_address and fwmark say where they leave",
  irtt_session_duration_m: "sluice does not use irtt",
  startup_wait_s: "sluice waits for interfaces by itself",
  if_up_check_interval_s: "sluice hears from the kernel when interfaces come and go",
  monitor_achieved_rates_interval_ms: "the counters are read at each tick",
  monitor_cpu_usage_interval_ms: "sluiced has metrics of its own, for Prometheus",
  stall_detection_thr: "when a line counts as dead is sluice's own affair; on_silence says what is done then",
  connection_stall_thr_kbps: "when a line counts as dead is sluice's own affair; on_silence says what is done then",
  global_ping_response_timeout_s:
    "when a line counts as dead is sluice's own affair; on_silence says what is done then",
  rx_bytes_path: COUNTERS,
  tx_bytes_path: COUNTERS,
  output_processing_stats: LOGS,
  output_load_stats: LOGS,
  output_reflector_stats: LOGS,
  output_summary_stats: LOGS,
  output_cake_changes: LOGS,
  output_cpu_stats: LOGS,
  output_cpu_raw_stats: LOGS,
  debug: LOGS,
  log_DEBUG_messages_to_syslog: LOGS,
  log_to_file: LOGS,
  log_file_max_time_mins: LOGS,
  log_file_max_size_KB: LOGS,
  log_file_path_override: LOGS,
  log_file_buffer_timeout_ms: LOGS,
  log_file_export_compress: LOGS,
};
