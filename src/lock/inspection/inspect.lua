-- KEYS: state, queue, waiters. Changes nothing.
-- Replies with all of a moment: { the server's clock, the state, the queue with the arrivals, the waiters }; see server/scripts/grant.lua.
return {
  redis.call('TIME'),
  redis.call('HGETALL', KEYS[1]),
  redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES'),
  redis.call('HGETALL', KEYS[3]),
}
