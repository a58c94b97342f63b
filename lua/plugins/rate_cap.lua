-- Keeps the rates from growing above a limit, such as what the provider bills for.
--
-- Options (section rate_cap), one or both:
--   max_dl_rate   kbit/s
--   max_ul_rate   kbit/s
--
-- Example (sluice.toml):
--   [autorate.links.home]
--   plugins = ["/usr/lib/sluice/lua/plugins/rate_cap.lua"]
--   plugin.rate_cap = { max_dl_rate = 90000, max_ul_rate = 9000 }

local M = { name = "rate_cap" }

local limits

function M.initialise(requires, settings)
  local options = settings.plugin("rate_cap") or {}
  limits = {}
  for _, direction in ipairs({ "dl", "ul" }) do
    local name = "max_" .. direction .. "_rate"
    local value = options[name]
    local limit = tonumber(value)
    if value ~= nil and not (limit and limit > 0) then
      error(("%s is '%s', wanted a rate in kbit/s"):format(name, tostring(value)))
    end
    limits["next_" .. direction .. "_rate"] = limit
  end
  if not next(limits) then
    error("neither max_dl_rate nor max_ul_rate is set")
  end
  return M
end

function M.process(readings)
  local results = {}
  for name, limit in pairs(limits) do
    if readings[name] > limit then
      results[name] = limit
    end
  end
  return results
end

return M
