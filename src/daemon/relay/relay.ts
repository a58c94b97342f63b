/** The relay's rules, of the configuration and those that were added, and the part that carries them out. */
import type { NewRuleJson, RelayRuleJson } from "../../api/schemas/relay.ts";
import { planLoad } from "../../control/relay/load.ts";
import { newRuleJson, ruleTable } from "../../control/relay/json.ts";
import { hasRelay } from "../../control/relay/pins.ts";
import { briefly, type Problem, problem, SluiceError, sluiceError } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import type { Rule } from "../../relay/model.ts";
import { readRule } from "../../relay/rules/read.ts";
import { checkRules, type PlacedRule } from "../../relay/rules/set.ts";
import type { RelayConfig, RelaySettings } from "../../relay/settings.ts";
import { SLOTS } from "../../relay/slots.ts";
import { guard, transaction } from "../../store/db.ts";
import { Serial } from "../serial.ts";
import * as store from "../store/relay-rules.ts";
import type { Stop, Supervisor } from "../supervisor.ts";
import type { System } from "../system.ts";
import { ruleJson } from "./json.ts";
import type { RelayPart } from "./part.ts";

const log = logger("relay");

interface Running {
  readonly config: RelayConfig;
  readonly part: RelayPart;
  readonly stop: Stop;
}

/** Whether workers may go on under other settings: how often is told what they did does not concern them. */
const sameWork = (one: RelaySettings, other: RelaySettings): boolean =>
  JSON.stringify({ ...one, telemetrySeconds: 0 }) === JSON.stringify({ ...other, telemetrySeconds: 0 });

/** What became of rules that were loaded. */
export interface Loaded {
  readonly added: number;
  readonly replaced: number;
  readonly removed: number;
  /** They were as they shall be. */
  readonly kept: number;
  readonly warnings: Problem[];
}

const severe = ({ severity }: Problem): boolean => severity === "error";

/** The relay of a daemon. */
export class RelayKeeper {
  readonly #system: System;
  readonly #supervisor: Supervisor;
  readonly #changes = new Serial();
  #running: Running | undefined;

  constructor(system: System, supervisor: Supervisor) {
    this.#system = system;
    this.#supervisor = supervisor;
  }

  /** What runs; undefined without a `[relay]`. */
  get part(): RelayPart | undefined {
    return this.#running?.part;
  }

  /** Another configuration holds. Rules that stay go on undisturbed, unless the settings of workers are others. Never fails. */
  adopt(config: RelayConfig | undefined): Promise<void> {
    return this.#changes
      .run(() => this.#adopt(config))
      .catch((error: unknown) => log.error("the relay was not taken over: {reason}", { reason: briefly(error) }));
  }

  async #adopt(config: RelayConfig | undefined): Promise<void> {
    const running = this.#running;
    if (running && config && sameWork(running.config.settings, config.settings)) {
      this.#running = { ...running, config };
      running.part.tellEvery(config.settings.telemetrySeconds);
      return running.part.setRules(this.#rules(config));
    }
    this.#running = undefined;
    await running?.stop();
    // Where there is no relay, nothing is loaded for one.
    if (!config) return this.cleanUp();
    const { RelayPart } = await import("./part.ts");
    const part = new RelayPart(this.#system, config.settings, this.#rules(config));
    this.#running = { config, part, stop: this.#supervisor.start(part) };
    return undefined;
  }

  /** Takes away what the kernel carries for a relay that is no more. */
  async cleanUp(): Promise<void> {
    const { place } = this.#system;
    if (!hasRelay(place)) return;
    const { removeRelay } = await import("../../control/relay/open.ts");
    await removeRelay(place);
    log.info("the relay's programs and tables were removed");
  }

  #rules(config: RelayConfig): Rule[] {
    return this.#kept(config).map(({ rule }) => rule);
  }

  /** Those of the configuration first: one that was added and does not go with them is left out, and told of. */
  #kept(config: RelayConfig): readonly PlacedRule[] {
    const added = this.#added(config);
    const faults = (placed: readonly PlacedRule[]): Problem[] => checkRules(placed, SLOTS).filter(severe);
    let kept: readonly PlacedRule[] = [...config.rules, ...added];
    if (faults(kept).length > 0) {
      kept = config.rules;
      for (const each of added) {
        const [fault] = faults([...kept, each]);
        if (fault) log.error("{path} is left out: {reason}", { path: each.path, reason: fault.message });
        else kept = [...kept, each];
      }
    }
    return kept;
  }

  #added({ settings }: RelayConfig): PlacedRule[] {
    const { ttl, engine } = settings;
    return guard(this.#system.place.paths.state, () => store.list(this.#system.db)).flatMap((stored) => {
      const path = pathOf(stored);
      const { rule, problems } = readRule(path, ruleTable(stored), at, { ttl, engine, origin: "dynamic" });
      for (const { message } of problems) log.error("{path} is left out: {message}", { path, message });
      return rule ? [{ rule, path }] : [];
    });
  }

  #config(): RelayConfig {
    if (this.#running) return this.#running.config;
    throw sluiceError("RELAY_OFF", { file: this.#system.place.config });
  }

  /** Adds a rule, or replaces one that was added; it is in place when this returns. @throws SluiceError with all that is wrong */
  add(body: NewRuleJson, who: string): Promise<{ rule: RelayRuleJson; replaced: boolean; warnings: Problem[] }> {
    return this.#changes.run(async () => {
      const config = this.#config();
      const { ttl, engine } = config.settings;
      const read = readRule("rule", ruleTable(body), at, { ttl, engine, origin: "dynamic" });
      const { rule } = read;
      if (!rule) throw new SluiceError(read.problems);
      if (config.rules.some((fixed) => fixed.rule.id === rule.id)) throw this.#static(rule.id);
      const replaced = this.#added(config).some((each) => each.rule.id === rule.id);
      const warnings = await this.#change(config, [{ rule, path: "rule" }], []);
      const name = rule.name ?? rule.id;
      const words = `Rule ${name} was ${replaced ? "replaced" : "added"} by ${who}`;
      this.#system.journal.record("relay.rule", "info", words, { rule: rule.id });
      return { rule: this.find(rule.id), replaced, warnings };
    });
  }

  /**
   * Puts rules in the place of those with their ids, and removes some; all of that is in place when this returns.
   *
   * @returns what is to be thought of them
   * @throws SluiceError with all that is wrong with them together, RELAY_DOWN; nothing is changed then
   */
  async #change(config: RelayConfig, put: readonly PlacedRule[], remove: readonly string[]): Promise<Problem[]> {
    const gone = new Set([...put.map(({ rule }) => rule.id), ...remove]);
    // Without those that are left out: they are in nobody's way.
    const others = this.#kept(config).filter(({ rule }) => !gone.has(rule.id));
    const problems = checkRules([...others, ...put], SLOTS);
    if (problems.some(severe)) throw new SluiceError(problems);
    if (!(await this.#running?.part.started())) throw sluiceError("RELAY_DOWN");
    const { db, journal, place } = this.#system;
    guard(place.paths.state, () =>
      transaction(db, () => {
        for (const id of remove) store.remove(db, id);
        for (const { rule } of put) store.put(db, newRuleJson(rule), journal.now());
      }),
    );
    await this.#running?.part.setRules(this.#rules(config));
    return problems;
  }

  /**
   * Adds rules and replaces those with their ids; all are in place when this returns. Those that are as they shall be are not touched.
   *
   * @param only whether added ones that are not among them are removed
   * @throws SluiceError with all that is wrong; nothing is changed then
   */
  load(bodies: readonly NewRuleJson[], only: boolean, who: string): Promise<Loaded> {
    return this.#changes.run(async () => {
      const config = this.#config();
      const { ttl, engine } = config.settings;
      const read = bodies.map((body, index) =>
        readRule(`rules.${index}`, ruleTable(body), at, { ttl, engine, origin: "dynamic" }),
      );
      const faults = read.flatMap(({ problems }) => problems);
      if (faults.some(severe)) throw new SluiceError(faults);
      const placed = read.flatMap(({ rule }, index) => (rule ? [{ rule, path: `rules.${index}` }] : []));
      const whole = (all: readonly PlacedRule[]) => all.map(({ rule }) => newRuleJson(rule));
      const plan = planLoad(whole(placed), whole(this.#added(config)), whole(config.rules), only);
      const { add, replace, remove, kept } = plan;
      const ids = new Set([...add, ...replace].map(({ id }) => id));
      const put = placed.filter(({ rule }) => ids.has(rule.id));
      const fixed = new Set(config.rules.map(({ rule }) => rule.id));
      const refused = put.filter(({ rule }) => fixed.has(rule.id));
      if (refused.length > 0) throw new SluiceError(refused.map(({ rule }) => this.#fixedRule(rule.id)));
      const together = await this.#change(config, put, remove);
      const counts = { added: add.length, replaced: replace.length, removed: remove.length };
      const words = `${add.length} rules were added, ${replace.length} replaced and ${remove.length} removed by ${who}`;
      if (ids.size + remove.length > 0) this.#system.journal.record("relay.rule", "info", words, counts);
      return { ...counts, kept, warnings: [...faults, ...together] };
    });
  }

  /** Removes a rule that was added; nothing that comes after this has returned is carried for it. @throws SluiceError NOT_FOUND, RELAY_STATIC */
  remove(word: string, who: string): Promise<string> {
    return this.#changes.run(async () => {
      const config = this.#config();
      const isIt = ({ rule: { id, name } }: PlacedRule): boolean => id === word || name === word;
      if (config.rules.some((each) => isIt(each))) throw this.#static(word);
      const { db, journal, place } = this.#system;
      const id = this.#added(config).find((each) => isIt(each))?.rule.id ?? word;
      if (!guard(place.paths.state, () => store.remove(db, id))) throw notFound(word);
      await this.#running?.part.setRules(this.#rules(config));
      journal.record("relay.rule", "info", `Rule ${word} was removed by ${who}`, { rule: id });
      return id;
    });
  }

  #fixedRule(id: string): Problem {
    return problem("RELAY_STATIC", { id, file: this.#system.place.config });
  }

  #static(id: string): SluiceError {
    return new SluiceError([this.#fixedRule(id)]);
  }

  /** Every rule as the API shows it. */
  list(): RelayRuleJson[] {
    return (this.#running?.part.relay?.views() ?? []).map((view) => ruleJson(view));
  }

  /** One of them by its id or name. @throws SluiceError NOT_FOUND */
  find(word: string): RelayRuleJson {
    const found = this.list().find(({ id, name }) => id === word || name === word);
    if (!found) throw notFound(word);
    return found;
  }
}

const at = () => ({ file: "request" });
const pathOf = ({ id, name }: store.StoredRule): string => `rule "${name ?? id}" that was added`;
const notFound = (id: string): SluiceError =>
  sluiceError("NOT_FOUND", { noun: "rule", id, hint: "sluice relay rule list shows those that there are" });
