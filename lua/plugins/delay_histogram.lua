-- Learns from quiet times how much delay the line has by itself, and takes that for the thresholds. When a delay at low
-- load would send a rate to its minimum all the same, it is softened: the first time the rate is kept, and later it goes
-- half way.
--
-- Delays are counted in buckets of 1 ms, up to 39 ms, in several histograms that begin one after the other, so that the
-- oldest always has enough and forgets in the end.
--
-- Options (section delay_histogram):
--   number_of_histograms       default 5
--   histogram_offset_seconds   after so long the next histogram begins anew; default 1800
--   low_load_type              absolute: quiet is what does not exceed the minimum rate; relative: what does not exceed
--                              low_load_threshold of the rate; default absolute
--   low_load_threshold         default 0.2
--   sufficient_seconds         a histogram with less than so many seconds of readings says nothing; default 600
--   recalculation_seconds      between two looks at the histograms; default 300
--   cumulative_cutoff          share of the readings that are below the threshold; default 0.9995
--   histogram_log_level        of what it says when a threshold changes; default INFO
--
-- Example (sluice.toml): learns sooner.
--   [autorate.links.home]
--   plugins = ["/usr/lib/sluice/lua/plugins/delay_histogram.lua"]
--   plugin.delay_histogram = { sufficient_seconds = 300, recalculation_seconds = 60 }

local M = { name = "delay_histogram" }

local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min

-- The last bucket takes all that is longer.
local BUCKETS = 39
-- Seconds before the first look, in which baselines settle.
local SETTLING = 90

local count, offset, relative, low_load, sufficient, period, cutoff, level
local directions
local newest, last_look

local function histogram()
  local buckets = { total = 0 }
  for bucket = 1, BUCKETS do
    buckets[bucket] = 0
  end
  return buckets
end

local function direction(short, settings)
  local longer = short == "dl" and "down" or "up"
  local all = {}
  for i = 1, count do
    all[i] = histogram()
  end
  return {
    histograms = all,
    delay = longer .. "_del_stat",
    utilisation = longer .. "_utilisation",
    load = (short == "dl" and "rx" or "tx") .. "_load",
    current = "cur_" .. short .. "_rate",
    next = "next_" .. short .. "_rate",
    threshold = short .. "_max_delta_owd",
    default = settings[short .. "_max_delta_owd"],
    least = settings["min_" .. short .. "_rate"],
  }
end

function M.initialise(requires, settings)
  local options = settings.plugin("delay_histogram") or {}
  local function number(name, default, least)
    local value = options[name] == nil and default or tonumber(options[name])
    if not value or value < least then
      error(("%s is '%s', wanted a number of %s or more"):format(name, tostring(options[name]), least))
    end
    return value
  end
  count = floor(number("number_of_histograms", 5, 1))
  offset = number("histogram_offset_seconds", 1800, 1)
  low_load = number("low_load_threshold", 0.2, 0)
  sufficient = ceil(number("sufficient_seconds", 600, 0) / (settings.tick_duration or 0.5))
  period = number("recalculation_seconds", 300, 1)
  cutoff = number("cumulative_cutoff", 0.9995, 0)
  level = options.histogram_log_level or "INFO"
  relative = options.low_load_type == "relative"
  if not relative and (options.low_load_type or "absolute") ~= "absolute" then
    error(("low_load_type is '%s', wanted absolute or relative"):format(tostring(options.low_load_type)))
  end
  directions = { direction("ul", settings), direction("dl", settings) }
  newest = 1
  last_look = SETTLING
  return M
end

local function bucket_of(delay)
  return max(1, min(BUCKETS, ceil(delay)))
end

-- Begins the next histogram anew when it is time for it.
local function rotate(now)
  local index = floor(now / offset) % count + 1
  if index ~= newest then
    newest = index
    for _, side in ipairs(directions) do
      side.histograms[index] = histogram()
    end
  end
end

-- Counts the delay, when the line is quiet.
local function learn(side, readings)
  local quiet
  if relative then
    quiet = readings[side.load] <= low_load
  else
    quiet = readings[side.utilisation] <= side.least
  end
  if quiet then
    local bucket = bucket_of(readings[side.delay])
    for _, buckets in ipairs(side.histograms) do
      buckets[bucket] = buckets[bucket] + 1
      buckets.total = buckets.total + 1
    end
  end
end

local function is_reset(side, readings)
  local wanted = readings[side.next]
  return wanted <= side.least and wanted < readings[side.current]
end

local function oldest(side)
  return side.histograms[newest % count + 1]
end

-- The threshold that the oldest histogram asks for, and whether there is enough in it to tell.
local function threshold(side)
  local buckets = oldest(side)
  if buckets.total <= sufficient then
    return side.default, false
  end
  local sum = 0
  for bucket = 1, BUCKETS do
    sum = sum + buckets[bucket]
    if sum >= buckets.total * cutoff then
      -- A single one may be a stray: what happened twice is believed.
      if buckets[bucket] == 1 then
        for below = bucket - 1, 1, -1 do
          if buckets[below] > 1 then
            return below, true
          end
        end
      end
      return bucket, true
    end
  end
  return side.default, false
end

-- How many delays were this long or longer.
local function as_long(side, delay)
  local buckets = oldest(side)
  local sum = 0
  for bucket = bucket_of(delay), BUCKETS do
    sum = sum + buckets[bucket]
  end
  return sum
end

local function look(side, readings, results)
  local found, enough = threshold(side)
  if found ~= side.last then
    log(level, ("%s: %s ms%s"):format(side.threshold, tostring(found), enough and "" or ", as there is too little to tell"))
    side.last = found
  end
  results[side.threshold] = found
  local delay = readings[side.delay]
  if enough and is_reset(side, readings) and delay > found then
    if as_long(side, delay) == 1 then
      results[side.next] = readings[side.current]
    else
      results[side.next] = floor(side.least + (readings[side.current] - side.least) / 2)
    end
  end
end

function M.process(readings)
  local now = readings.now_s
  local results = {}
  rotate(now)
  local reset = false
  for _, side in ipairs(directions) do
    learn(side, readings)
    reset = reset or is_reset(side, readings)
  end
  if reset or now - last_look >= period then
    last_look = now
    for _, side in ipairs(directions) do
      look(side, readings, results)
    end
  end
  return results
end

return M
