/** Can what links name be used: lists of reflectors, and scripts? Scripts are started for that, in their sandbox. */
import type { AutorateConfig, LinkConfig } from "../../autorate/config.ts";
import { controllerPlan } from "../../autorate/controllers/registry.ts";
import { LuaScript } from "../../autorate/lua/script.ts";
import { luaSettings, settingsTable } from "../../autorate/lua/settings.ts";
import { NO_BOUNDS, type Setup } from "../../autorate/model.ts";
import { readReflectors } from "../../autorate/reflectors/file.ts";
import { isScript } from "../../autorate/settings/controller-name.ts";
import { seeded } from "../../autorate/simulation/random.ts";
import { both } from "../../core/both.ts";
import { type Problem, SluiceError } from "../../core/errors.ts";

/** What is wrong with what is opened and closed again. */
async function problemsOf(open: () => Promise<AsyncDisposable>): Promise<readonly Problem[]> {
  try {
    await using _opened = await open();
    return [];
  } catch (error) {
    if (error instanceof SluiceError) return error.problems;
    throw error;
  }
}

async function checkLink(link: LinkConfig): Promise<readonly Problem[]> {
  const bounds = both((d) => link.directions[d]?.bounds ?? NO_BOUNDS);
  const random = seeded(1);
  const plan = controllerPlan(link, random);
  const { period } = plan;
  const setup: Setup = { bounds, start: both((d) => bounds[d].base), now: 0, bytes: both(() => 0), period };
  const problems = [...readReflectors(link.probe.reflectorFile).problems];
  if (isScript(link.controller)) problems.push(...(await problemsOf(() => plan.open(setup))));
  const { fields: settings, sections } = settingsTable(luaSettings(link, setup));
  for (const path of link.plugins) {
    const found = await problemsOf(() => LuaScript.open({ kind: "plugin", path, settings, sections, random }));
    // A link does without a plugin that cannot be used.
    problems.push(...found.map((problem) => ({ ...problem, severity: "warning" as const })));
  }
  return problems;
}

/** Everything that is wrong with the files of all links, each told once. */
export async function checkLinks({ links }: AutorateConfig): Promise<Problem[]> {
  const told = new Map<string, Problem>();
  // One after the other: together scripts would share the processor, and each its deadline.
  for (const link of links) for (const problem of await checkLink(link)) told.set(JSON.stringify(problem), problem);
  return [...told.values()];
}
