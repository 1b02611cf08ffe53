-- What the benchmarks send: what the first argument names, or a plain GET; each caller pauses for the milliseconds of
-- the second one before it asks again, more or less: else all of them would come at the same moment, again and again.
-- The last line of the output is read by wrk.py.
local bodies = {
  order = '{"user_id":"665f1c2ab1e4d3a7c9f0e811","items":['
    .. '{"sku":"MUG-01","name":"Coffee mug","quantity":3,"unit_price":"19.99"},'
    .. '{"sku":"TEA-07","name":"Green tea","quantity":1,"unit_price":"4.50"}],'
    .. '"currency":"EUR","notes":"Ring twice"}',
}

local pause = 0
local users = 0

function init(arguments)
  pause = tonumber(arguments[2])
  wrk.headers["Content-Type"] = "application/json"
  if arguments[1] == "user" then
    wrk.method = "POST"
    math.randomseed(os.time())
    local run = math.random(1e9)
    request = function()
      users = users + 1
      return wrk.format(nil, nil, nil, string.format(
        '{"name":"Ada","email":"ada-%d-%d@example.com","password":"correct horse"}', run, users))
    end
  elseif bodies[arguments[1]] then
    wrk.method = "POST"
    wrk.body = bodies[arguments[1]]
  end
end

function delay()
  return math.random(0, 2 * pause)
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    'RESULT {"answers": %d, "errors": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests - errors.status, failed, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
