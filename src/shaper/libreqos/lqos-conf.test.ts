import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatProblem } from "../../core/errors.ts";
import { parseLqosConf } from "./lqos-conf.ts";

const BRIDGE = '[bridge]\nto_network = "eth1"\nto_internet = "eth0"\n';
const STICK = '[single_interface]\ninterface = "eth0"\ninternet_vlan = 2\nnetwork_vlan = 3\n';
const QUEUES = `[queues]
default_sqm = "cake diffserv4"
uplink_bandwidth_mbps = 500
downlink_bandwidth_mbps = 1000
generated_pn_download_mbps = 900
generated_pn_upload_mbps = 400
`;
const HEAD = 'version = "1.5"\nlqos_directory = "/opt/libreqos/src"\nnode_name = "other keys are not looked at"\n';

const parse = (text: string) => parseLqosConf(text, "lqos.conf");
const said = (text: string): string[] => parse(text).problems.map((p) => formatProblem(p).split("\n")[0]!);

describe("parseLqosConf", () => {
  it("reads a bridge, and takes the uplink for both capacities as LibreQoS does", () => {
    const { conf, problems } = parse(HEAD + BRIDGE + QUEUES);
    assert.deepEqual(problems, []);
    assert.deepEqual(conf, {
      options: {
        link: { lan: "eth1", internet: "eth0", onAStick: false },
        capacity: { download: 500, upload: 500 },
        generated: { download: 900, upload: 400 },
        defaultSqm: "cake diffserv4",
        monitorOnly: false,
        useBinpacking: false,
        dryRun: false,
      },
      downlink: 1000,
      override: 0,
      directory: "/opt/libreqos/src",
      insight: false,
      refreshMinutes: 30,
    });
  });

  it("reads a stick with its VLANs, and what is optional", () => {
    const more = "monitor_only = true\nuse_binpacking = true\ndry_run = true\noverride_available_queues = 6\n";
    const { conf } = parse(`${HEAD}${STICK}${QUEUES}${more}[long_term_stats]\nenable_insight_topology = true\n`);
    assert.deepEqual(conf!.options.link, {
      lan: "eth0",
      internet: "eth0",
      onAStick: true,
      vlans: { lan: 3, internet: 2 },
    });
    const { monitorOnly, useBinpacking, dryRun } = conf!.options;
    assert.deepEqual([monitorOnly, useBinpacking, dryRun, conf!.override, conf!.insight], [true, true, true, 6, true]);
  });

  it("knows the later name of monitor_only", () => {
    assert.equal(
      parse(`${HEAD}${BRIDGE}${QUEUES}queue_mode = "observe"\nmonitor_only = false\n`).conf!.options.monitorOnly,
      true,
    );
    assert.match(
      said(`${HEAD}${BRIDGE}${QUEUES}queue_mode = "watch"\n`)[0]!,
      /queues.queue_mode .* it is "watch", wanted/,
    );
  });

  it("says everything that is wrong, with its line", () => {
    assert.deepEqual(
      said(
        `version = "1.4"\n${BRIDGE}${STICK}[queues]\ndefault_sqm = 5\nuplink_bandwidth_mbps = -1\ndownlink_bandwidth_mbps = 1.5\n`,
      ),
      [
        'lqos.conf:1:1: error: Cannot use version of lqos.conf: it is "1.4", and only files of version "1.5" are known [LIBREQOS_CONF]',
        "lqos.conf:1:1: error: Cannot use lqos_directory of lqos.conf: it is missing, wanted a text [LIBREQOS_CONF]",
        "lqos.conf:5:1: error: Cannot use single_interface of lqos.conf: [bridge] is there too, and only one of them can be [LIBREQOS_CONF]",
        "lqos.conf:9:1: error: Cannot use queues.generated_pn_download_mbps of lqos.conf: it is missing, wanted a whole number from 0 [LIBREQOS_CONF]",
        "lqos.conf:9:1: error: Cannot use queues.generated_pn_upload_mbps of lqos.conf: it is missing, wanted a whole number from 0 [LIBREQOS_CONF]",
        "lqos.conf:10:1: error: Cannot use queues.default_sqm of lqos.conf: it is 5, wanted a text [LIBREQOS_CONF]",
        "lqos.conf:11:1: error: Cannot use queues.uplink_bandwidth_mbps of lqos.conf: it is -1, wanted a whole number from 0 [LIBREQOS_CONF]",
        "lqos.conf:12:1: error: Cannot use queues.downlink_bandwidth_mbps of lqos.conf: it is 1.5, wanted a whole number from 0 [LIBREQOS_CONF]",
      ],
    );
  });

  it("names the line of what is no TOML", () => {
    assert.match(said("version = 1.5.1\n")[0]!, /^lqos.conf:1:\d+: error: Cannot parse the configuration/);
    assert.match(said(HEAD + QUEUES)[0]!, /bridge .* neither \[bridge\] nor \[single_interface\] is there/);
  });
});
