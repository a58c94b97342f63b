-- The rules of sqm-autorate ("EWMA") as a controller in Lua: what sluice has built in as `ewma`, to start your own from.
--
-- A direction that is loaded and has little delay grows: by 10 % of its rate, less the nearer it is to the best rate at
-- which it was ever loaded without delay, and by 3 % of its base rate. A direction with too much delay is cut: to 90 % of
-- what was sent, or to a rate picked at random among those that were once safe, whichever is less. When no reflector
-- answers, both go to their minimum.
--
-- Options:
--   histsize          safe rates remembered per direction; default 100
--   high_load_level   share of the rate above which a direction is loaded; default 0.8
--   whole_ring        false: the last safe rate is never picked, as in the original; default false
--
-- Example (sluice.toml):
--   [autorate.links.home]
--   controller = "/usr/lib/sluice/lua/controllers/ewma.lua"
--   options = { histsize = 50, whole_ring = true }

local floor, max, min, random = math.floor, math.max, math.min, math.random

-- Fewer reflectors than this answer: others are wanted.
local ENOUGH = 5

local options
local dl, ul

-- A direction's memory: `safe` is a ring of rates in kbit/s, `at` the place that is written next.
local function direction()
  return { safe = {}, at = 1 }
end

local function seed(base)
  return (random() * 0.2 + 0.75) * base
end

local function best(rates)
  local most = rates[1]
  for i = 2, #rates do
    most = max(most, rates[i])
  end
  return most
end

local function pick(rates)
  local count = #rates
  if not options.whole_ring then
    if count == 1 then
      return nil
    end
    count = count - 1
  end
  return rates[random(count)]
end

-- The next rate of one direction, before rounding and bounds.
local function step(side, rate, base, load, delay, threshold)
  local next_rate = rate
  if delay < threshold and load > options.high_load_level then
    side.safe[side.at] = floor(rate * load)
    next_rate = rate * (1 + 0.1 * max(0, (1 - rate / best(side.safe)))) + base * 0.03
    side.at = side.at % options.histsize + 1
  end
  if delay > threshold then
    next_rate = 0.9 * rate * load
    local safe = pick(side.safe)
    if safe then
      next_rate = min(next_rate, safe)
    end
  end
  return next_rate
end

local M = {}

function M.configure(settings)
  options = {
    histsize = settings.histsize or 100,
    high_load_level = settings.high_load_level or 0.8,
    whole_ring = settings.whole_ring == true,
  }
  if options.histsize < 1 then
    error("histsize must be 1 or more")
  end
  dl, ul = direction(), direction()
  for i = 1, options.histsize do
    dl.safe[i] = seed(settings.base_dl_rate)
    ul.safe[i] = seed(settings.base_ul_rate)
  end
end

function M.calculate(data)
  local reselect = #data.down_del < ENOUGH or #data.up_del < ENOUGH
  if #data.down_del == 0 or #data.up_del == 0 then
    return { next_dl_rate = data.min_dl_rate, next_ul_rate = data.min_ul_rate, reselect = reselect }
  end
  -- The upload goes first: it shows in the order of the random picks.
  local next_ul_rate =
    step(ul, data.cur_ul_rate, data.base_ul_rate, data.tx_load, data.up_del_stat, data.ul_max_delta_owd)
  local next_dl_rate =
    step(dl, data.cur_dl_rate, data.base_dl_rate, data.rx_load, data.down_del_stat, data.dl_max_delta_owd)
  return { next_dl_rate = next_dl_rate, next_ul_rate = next_ul_rate, reselect = reselect }
end

return M
