-- Acknowledges entries of which more is kept than that they are pending.
-- KEYS: stream, retries, done. ARGV: group, for how long ids are kept in ms (0: not), how many entries, their ids…, the ids of their events…
local group, keep, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for i = 4, 3 + count do
  redis.call('XACK', KEYS[1], group, ARGV[i])
  redis.call('HDEL', KEYS[2], ARGV[i])
  if keep > 0 then redis.call('ZADD', KEYS[3], now + keep, ARGV[i + count]) end
end
if keep > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  redis.call('PEXPIRE', KEYS[3], keep)
end
