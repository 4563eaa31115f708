-- Removes a group, and all that is kept of it, unless it has consumers.
-- KEYS: members, groups, owners, done, the topic's streams, the retries of each. ARGV: group, how many streams.
-- Reply: how many consumers it has; 1 where there was something to remove.
local group, streams = ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local consumers = redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now), '+inf')
if consumers > 0 then return { consumers, 0 } end

local removed = redis.call('HDEL', KEYS[2], group)
for i = 5, 4 + streams do
  if redis.call('EXISTS', KEYS[i]) == 1 then removed = removed + redis.call('XGROUP', 'DESTROY', KEYS[i], group) end
end
redis.call('DEL', KEYS[1], KEYS[3], KEYS[4])
for i = 5 + streams, #KEYS do redis.call('DEL', KEYS[i]) end
return { 0, math.min(1, removed) }
