-- The surroundings of a script: what of Lua's own it loses, and what it is given. Called once before the script, with a
-- table that the host keeps in touch by:
--   host.draw()                 the next random number in [0, 1)
--   host.emit(level, message)   logs
--   host.wall                   the time of day; a new table before each call
--   host.settings               what configure and initialise are given
--   host.sections               what settings.plugin(name) answers
-- and takes away with it:
--   host.requires               the first argument of initialise
local host = ...

local floor, tonumber, tostring, type, error, pairs, ipairs, select = math.floor, tonumber, tostring, type, error, pairs, ipairs, select
local concat, upper, gsub = table.concat, string.upper, string.gsub

-- What would load or make code that the host has not read, and what the host decides itself.
for _, name in ipairs({ "dofile", "load", "loadfile", "loadstring", "module", "newproxy", "gcinfo" }) do
  _G[name] = nil
end
string.dump = nil

-- As math.random of Lua 5.1, with the host's random numbers.
function math.random(...)
  local count = select("#", ...)
  local drawn = host.draw()
  if count == 0 then
    return drawn
  end
  if count > 2 then
    error("wrong number of arguments", 2)
  end
  local from, to = ...
  if count == 1 then
    from, to = 1, from
  end
  from, to = tonumber(from), tonumber(to)
  if not from or not to then
    error("bad argument to 'random' (number expected)", 2)
  end
  if from > to then
    error("interval is empty", 2)
  end
  return floor(drawn * (to - from + 1)) + from
end

-- The host has seeded it.
function math.randomseed() end

local levels = {}
for level, name in ipairs({ "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE" }) do
  levels[name] = { level = level, name = name }
end

local aliases = { WARNING = "WARN", CRITICAL = "FATAL" }

local function level_named(given)
  local name = type(given) == "table" and given.name or given
  name = type(name) == "string" and upper(name) or "INFO"
  return levels[aliases[name] or name] or levels.INFO
end

function log(level, message)
  host.emit(level_named(level).name, tostring(message))
end

function print(...)
  local words = {}
  for i = 1, select("#", ...) do
    words[i] = tostring((select(i, ...)))
  end
  host.emit("INFO", concat(words, "\t"))
end

function clock()
  local copy = {}
  for key, value in pairs(host.wall) do
    copy[key] = value
  end
  return copy
end

local util = { loglevel = levels }
local threshold = level_named(host.settings.log_level)

function util.logger(level, message)
  if level_named(level).level <= threshold.level then
    log(level, message)
  end
end

function util.set_loglevel(level)
  threshold = level_named(level)
end

function util.get_loglevel()
  return threshold
end

function util.get_loglevel_name()
  return threshold.name
end

function util.get_loglevel_level()
  return threshold.level
end

-- Seconds and nanoseconds since 1970.
function util.get_current_time()
  local seconds = floor(host.wall.unix)
  return seconds, floor((host.wall.unix - seconds) * 1e9)
end

-- Milliseconds since midnight, UTC.
function util.get_time_after_midnight_ms()
  return floor(host.wall.unix * 1000) % 86400000
end

-- Nothing waits here: a script that is called back in half a second has no need to.
function util.nsleep() end

function util.a_else_b(a, b)
  return a or b
end

function util.to_num(value)
  return tonumber(value)
end

function util.to_integer(value)
  local number = tonumber(value)
  return number and floor(number)
end

function util.maximum(list)
  local most = -math.huge
  for _, value in pairs(list) do
    if value > most then
      most = value
    end
  end
  return most
end

function util.get_table_len(all)
  local count = 0
  for _ in pairs(all) do
    count = count + 1
  end
  return count
end

function util.get_table_position(list, wanted)
  for position, value in ipairs(list) do
    if value == wanted then
      return position
    end
  end
  return 0
end

function util.get_table_dump(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  for key, inner in pairs(value) do
    parts[#parts + 1] = ("[%s] = %s"):format(tostring(key), util.get_table_dump(inner))
  end
  return "{ " .. concat(parts, ", ") .. " }"
end

-- In place, every order as likely (Fisher and Yates).
function util.shuffle_table(list)
  for last = #list, 2, -1 do
    local other = math.random(last)
    list[last], list[other] = list[other], list[last]
  end
  return list
end

local modules = { util = util, math = math, string = string, table = table, coroutine = coroutine }

function util.is_module_available(name)
  return modules[name] ~= nil
end

function require(name)
  local found = modules[name]
  if found == nil then
    error(("there is no module '%s' here: a script may require coroutine, math, string, table and util"):format(tostring(name)), 2)
  end
  return found
end

-- A copy of the named section, or nil. Names are the same with dashes and with underscores.
function host.settings.plugin(name)
  local wanted = gsub(tostring(name), "-", "_")
  for section, options in pairs(host.sections) do
    if gsub(section, "-", "_") == wanted then
      local copy = {}
      for key, value in pairs(options) do
        copy[key] = value
      end
      return copy
    end
  end
  return nil
end

host.requires = { util = util, math = math, string = string, table = table }
