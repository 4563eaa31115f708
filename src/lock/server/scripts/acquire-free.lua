-- KEYS: state, queue, waiters. ARGV: token, ttl in milliseconds, 'weight capacity', and more for acquire.lua.
-- Replies with the fence. A lock that nobody holds or waits for, the most common case, is granted before anything else is looked at:
-- what `grant` of grant.lua does is written out here. Not a semaphore, whose number of permits has to be noted ('limited', the first of
-- ARGV[4], is not 0).
local fields = redis.call('HGETALL', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token, ttl, share = ARGV[1], tonumber(ARGV[2]), ARGV[3]

if not fields[3] and share == '1 1' and string.byte(ARGV[4]) == 48 and redis.call('EXISTS', KEYS[2]) == 0 then
  local last = tonumber(fields[2] or 0)
  local fence = last + 1
  if now > fence then fence = now end
  local text = string.format('%.0f', fence)
  redis.call('HSET', KEYS[1], 'fence', text, token, string.format('%.0f ', now + ttl * 1000) .. text .. ' 1 1')
  if ttl * 1000 > RETENTION_SET or math.floor(last / RETENTION_SET) ~= math.floor(now / RETENTION_SET) then
    redis.call('PEXPIRE', KEYS[1], RETENTION + ttl)
  end
  return fence
end
