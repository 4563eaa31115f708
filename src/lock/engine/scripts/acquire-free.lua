-- KEYS: state, queue, waiters. ARGV: token, ttl in milliseconds, 'weight capacity', and more for acquire.lua.
-- Replies with the fence. A lock that nobody holds or waits for, the most common case, is granted before anything else is looked at;
-- not of a semaphore, whose number of permits has to be noted ('limited', the first of ARGV[4], is not 0).
local token, ttl, share = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local fields = redis.call('HGETALL', KEYS[1])
local now = microseconds()

if #fields <= 2 and share == '1 1' and string.byte(ARGV[4]) == 48 and redis.call('EXISTS', KEYS[2]) == 0 then
  return grant(KEYS[1], tonumber(fields[2] or 0), now, token, ttl, share)
end
