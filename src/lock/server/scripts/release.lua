-- Further ARGV: how those who wait are reached.
-- Hands the resource on to who waits. A token that waits itself leaves the queue.
local now = microseconds()
local resource = read(KEYS, redis.call('HGETALL', KEYS[1]), now)
if held == 0 then forget(resource, ARGV[1]) end
advance(resource, now, wakes_of(ARGV[2]))
return held
