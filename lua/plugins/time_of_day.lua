-- Other bounds and thresholds at certain hours, for lines that are slow when everybody is at home.
--
-- Options (section time_of_day): each is a rule. Its name is free, its value a text:
--   [days] [from-to] key=value ...
-- days: daily (which is also meant when they are left out), or names and ranges: mon,wed or fri-sun. from-to: hours and
-- minutes, 18:00-23:30; a window that ends before it begins ends on the next day, and its days are those on which it begins;
-- left out it is the whole day. The time is that of the router's time zone. Keys:
--   min_dl, min_ul       the rate does not go lower, kbit/s; no lower than the configured minimum in any case
--   max_dl, max_ul       nor higher; no higher than the configured maximum in any case
--   base_dl, base_ul     the rate is set to this once, when the window begins
--   delay_dl, delay_ul   threshold of the delay, ms
-- When windows overlap, the rule whose name is last in the alphabet wins for each key. Outside of all windows nothing is
-- changed, and the configured thresholds hold.
--
-- Example (sluice.toml): slow evenings, and a line that is better at weekends.
--   [autorate.links.home]
--   plugins = ["/usr/lib/sluice/lua/plugins/time_of_day.lua"]
--   [autorate.links.home.plugin.time_of_day]
--   evening = "mon-fri 18:00-23:30 max_dl=30000 base_dl=20000 delay_dl=25"
--   weekend = "sat,sun min_dl=20000"

local M = { name = "time_of_day" }

local max, min = math.max, math.min

-- As clock() counts the days of the week.
local DAYS = { sun = 1, mon = 2, tue = 3, wed = 4, thu = 5, fri = 6, sat = 7 }
local DAY = 24 * 60
local KEYS = {
  min_dl = true, min_ul = true, max_dl = true, max_ul = true,
  base_dl = true, base_ul = true, delay_dl = true, delay_ul = true,
}

local rules
local defaults
-- The rules of the last tick, by their names.
local before = ""

-- `fri-sun` or `mon,wed` as a set; nil when it is neither.
local function read_days(text)
  local days = {}
  if text == "daily" then
    for day = 1, 7 do
      days[day] = true
    end
    return days
  end
  for part in string.gmatch(text .. ",", "([^,]*),") do
    local first, last = string.match(part, "^(%a+)%-(%a+)$")
    local from, to = DAYS[first or part], DAYS[last or part]
    if not from or not to then
      return nil
    end
    local day = from
    days[day] = true
    while day ~= to do
      day = day % 7 + 1
      days[day] = true
    end
  end
  return days
end

local function minutes(hour, minute)
  hour, minute = tonumber(hour), tonumber(minute)
  if hour * 60 + minute > DAY or minute > 59 then
    return nil
  end
  return hour * 60 + minute
end

local function read_rule(name, text)
  local rule = { name = name, days = read_days("daily"), from = 0, to = DAY, values = {} }
  local function wrong(word, wanted)
    error(("the rule %s has '%s', wanted %s"):format(name, word, wanted), 0)
  end
  for word in string.gmatch(string.lower(text), "%S+") do
    local key, value = string.match(word, "^([%a_]+)=(.*)$")
    local h1, m1, h2, m2 = string.match(word, "^(%d%d?):(%d%d)%-(%d%d?):(%d%d)$")
    if key then
      local number = tonumber(value)
      if not KEYS[key] then
        wrong(word, "one of min_, max_, base_ and delay_ with dl or ul")
      elseif not (number and number >= 0 and number < math.huge) then
        wrong(word, "a number")
      end
      rule.values[key] = number
    elseif h1 then
      rule.from, rule.to = minutes(h1, m1), minutes(h2, m2)
      if not rule.from or not rule.to then
        wrong(word, "hours from 00:00 to 24:00")
      end
    else
      rule.days = read_days(word) or wrong(word, "days, a window or a key with its value")
    end
  end
  if not next(rule.values) then
    error(("the rule %s changes nothing"):format(name), 0)
  end
  return rule
end

function M.initialise(requires, settings)
  rules = {}
  for name, text in pairs(settings.plugin("time_of_day") or {}) do
    rules[#rules + 1] = read_rule(name, tostring(text))
  end
  if #rules == 0 then
    error("there is no rule", 0)
  end
  table.sort(rules, function(a, b) return a.name < b.name end)
  defaults = { dl = settings.dl_max_delta_owd, ul = settings.ul_max_delta_owd }
  return M
end

local function holds(rule, day, minute)
  if rule.from < rule.to then
    return rule.days[day] and minute >= rule.from and minute < rule.to
  end
  -- Over midnight: its first part, or the second one of yesterday's.
  local yesterday = (day + 5) % 7 + 1
  return (rule.days[day] and minute >= rule.from) or (rule.days[yesterday] and minute < rule.to)
end

function M.process(readings)
  local now = clock()
  local minute = now.hour * 60 + now.min
  local values, names = {}, {}
  for _, rule in ipairs(rules) do
    if holds(rule, now.wday, minute) then
      names[#names + 1] = rule.name
      for key, value in pairs(rule.values) do
        values[key] = value
      end
    end
  end
  local holding = table.concat(names, " ")
  local changed = holding ~= before
  if changed then
    log("INFO", holding == "" and "no rule holds any more" or "now holds: " .. holding)
  end
  before = holding

  local results = {}
  for _, direction in ipairs({ "dl", "ul" }) do
    local rate = readings["next_" .. direction .. "_rate"]
    if changed and values["base_" .. direction] then
      rate = values["base_" .. direction]
    end
    rate = max(rate, values["min_" .. direction] or rate)
    rate = min(rate, values["max_" .. direction] or rate)
    results["next_" .. direction .. "_rate"] = rate
    if values["delay_" .. direction] then
      results[direction .. "_max_delta_owd"] = values["delay_" .. direction]
    elseif changed then
      results[direction .. "_max_delta_owd"] = defaults[direction]
    end
  end
  return results
end

return M
