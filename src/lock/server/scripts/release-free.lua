-- KEYS: state, queue, waiters. ARGV: token, and more for release.lua.
-- Replies 1 where the token held the resource, 0 otherwise.
local held = redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 0 then return held end
