-- Further ARGV: 'limited term patience counted channel'. limited: 1 where the smaller number of permits holds; term and patience: how it
-- waits, in milliseconds, or 0 for not at all; the rest: how those who wait are reached.
-- Replies with the fence; or { milliseconds until a holder's time is over, arrival in the queue, last fence that was given out }.
local limited, term, patience, wakes = string.match(ARGV[4], '^(%d) (%d+) (%d+) (.*)$')
wakes = wakes_of(wakes)
local weight, capacity = string.match(share, '^(%d+) (%d+)$')
weight, capacity = tonumber(weight), tonumber(capacity)
local resource = read(KEYS, fields, now, token)

-- The reply to the first attempt was lost.
if resource.fence then
  redis.call('HSET', KEYS[1], token, whole(now + ttl * 1000) .. ' ' .. whole(resource.fence) .. ' ' .. share)
  retain(KEYS[1], resource.last, now, ttl)
  forget(resource, token)
  return resource.fence
end

if limited == '1' and capacity <= resource.limit then
  resource.limit = capacity
  redis.call('HSET', KEYS[1], 'limit', capacity .. ' ' .. whole(now + LIMIT_LIFETIME))
end

local function is_queued()
  return redis.call('EXISTS', KEYS[2]) == 1
end

-- It may be in the queue itself, where an earlier reply was lost.
if resource.used < resource.capacity and is_queued() then advance(resource, now, wakes, token, ttl) end
if resource.fence then return resource.fence end
local has_room = fits(resource, weight, capacity)
if has_room and not is_queued() then return admit(resource, now, token, ttl, weight, capacity) end
local is_waiting = term ~= '0'
if not has_room and not is_waiting then return { remaining(resource, now) } end

local arrival = join(resource, now, token, is_waiting and patience or 1, weight, capacity, term)
-- Those before it cannot be reached.
if has_room then advance(resource, now, wakes, token, ttl) end
if resource.fence then return resource.fence end
if not is_waiting then
  forget(resource, token)
  return { remaining(resource, now) }
end
return { remaining(resource, now), arrival, resource.last }
