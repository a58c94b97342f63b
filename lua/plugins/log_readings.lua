-- Logs all readings whenever one of them is as wanted, or from time to time.
--
-- Options (section log_readings):
--   <reading>_<comparison>   a number to compare the reading with: ge, gt, le, lt, eq or ne; one that holds is enough
--   interval_seconds         also log when so many seconds have passed since the last time; default: never
--   log_level                FATAL, ERROR, WARN, INFO, DEBUG or TRACE; default INFO
--
-- The readings are listed in docs/autorate-lua.md.
--
-- Example (sluice.toml): whenever the download is used to three quarters, and each minute.
--   [autorate.links.home]
--   plugins = ["/usr/lib/sluice/lua/plugins/log_readings.lua"]
--   plugin.log_readings = { rx_load_ge = 0.75, interval_seconds = 60 }

local M = { name = "log_readings" }

local comparisons = {
  ge = function(a, b) return a >= b end,
  gt = function(a, b) return a > b end,
  le = function(a, b) return a <= b end,
  lt = function(a, b) return a < b end,
  eq = function(a, b) return a == b end,
  ne = function(a, b) return a ~= b end,
}

local conditions, interval, level
local last = 0

function M.initialise(requires, settings)
  local options = settings.plugin("log_readings") or {}
  conditions = {}
  for key, value in pairs(options) do
    local reading, comparison = string.match(key, "^(.+)_(%a%a)$")
    local compare = comparison and comparisons[comparison]
    if compare then
      local wanted = tonumber(value)
      if not wanted then
        error(("%s is '%s', wanted a number"):format(key, tostring(value)))
      end
      conditions[#conditions + 1] = { reading = reading, compare = compare, wanted = wanted }
    end
  end
  interval = tonumber(options.interval_seconds)
  level = options.log_level or "INFO"
  return M
end

local function wanted(readings)
  if interval and readings.now_s - last >= interval then
    return true
  end
  for _, condition in ipairs(conditions) do
    local value = readings[condition.reading]
    if value and condition.compare(value, condition.wanted) then
      return true
    end
  end
  return false
end

local function widest(words)
  local width = 0
  for _, word in ipairs(words) do
    width = math.max(width, #word)
  end
  return width
end

-- A line for each reading, names and values in columns.
local function text(readings)
  local names, values = {}, {}
  for name in pairs(readings) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    values[i] = tostring(readings[name])
  end
  local line = ("        %%-%ds: %%-%ds (%%s)"):format(widest(names), widest(values))
  local lines = { "readings:" }
  for i, name in ipairs(names) do
    lines[i + 1] = line:format(name, values[i], type(readings[name]))
  end
  return table.concat(lines, "\n")
end

function M.process(readings)
  if wanted(readings) then
    last = readings.now_s
    log(level, text(readings))
  end
  return {}
end

return M
