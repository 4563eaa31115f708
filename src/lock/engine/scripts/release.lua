-- Further ARGV: the channel of the processes without its end; whether PUBLISH counts all who listen, 1 or 0.
-- Hands the resource on to who waits. A token that waits itself leaves the queue.
local now = microseconds()
local resource = read(KEYS, redis.call('HGETALL', KEYS[1]), now)
if held == 0 then forget(resource, ARGV[1]) end
advance(resource, now, { channel = ARGV[2], counted = ARGV[3] == '1' })
return held
