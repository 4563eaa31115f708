-- KEYS: state, queue and waiters of each that waits. ARGV: how those who wait are reached; then of each:
-- token, arrival, ttl, weight, capacity, term, patience.
-- Notes that they still wait, and lets in whose turn it is. Replies for each: fence, or 0; milliseconds that it has, or until a holder's
-- time is over, or -1; where it is not let in, also the last fence that was given out.
local wakes = wakes_of(ARGV[1])
local now = microseconds()
local replies = {}
-- Many wait for the same: who holds it is read once, and kept up to date by what is done here.
local resources = {}
for index = 1, #KEYS / 3 do
  local keys = { KEYS[index * 3 - 2], KEYS[index * 3 - 1], KEYS[index * 3] }
  local token, arrival, ttl, weight, capacity, term, patience = unpack(ARGV, index * 7 - 5, index * 7 + 1)
  local resource = resources[keys[1]]
  if not resource then
    resource = read(keys, redis.call('HGETALL', keys[1]), now)
    resources[keys[1]] = resource
  end
  resource.ends, resource.fence = parse(redis.call('HGET', keys[1], token) or '')
  if resource.fence then
    forget(resource, token)
  else
    stay(resource, now, token, arrival, patience, weight, capacity, term)
    advance(resource, now, wakes, token, tonumber(ttl))
  end
  if resource.fence then
    replies[index] = { resource.fence, math.floor((resource.ends - now) / 1000) }
  else
    replies[index] = { 0, remaining(resource, now), resource.last }
  end
end
return replies
