-- Rounds both rates up to whole Mbit/s, for those who like their numbers round.
--
-- Options (section pretty_speeds):
--   step   what to round up to, kbit/s; default 1000
--
-- Example (sluice.toml):
--   [autorate.links.home]
--   plugins = ["/usr/lib/sluice/lua/plugins/pretty_speeds.lua"]
--   plugin.pretty_speeds = { step = 500 }

local M = { name = "pretty_speeds" }

local ceil = math.ceil
local step = 1000

function M.initialise(requires, settings)
  local options = settings.plugin("pretty_speeds") or {}
  step = tonumber(options.step) or step
  if step <= 0 then
    error("step must be more than 0")
  end
  return M
end

function M.process(readings)
  return {
    next_dl_rate = ceil(readings.next_dl_rate / step) * step,
    next_ul_rate = ceil(readings.next_ul_rate / step) * step,
  }
end

return M
