-- A consumer leaves its group. Its name is removed from the streams where it has handled all that it was given; elsewhere the next owner
-- of the partition finds what it leaves.
-- KEYS: owners, members, streams… ARGV: consumer, group.
local consumer, group = ARGV[1], ARGV[2]
local owned = redis.call('HGETALL', KEYS[1])
for i = 1, #owned, 2 do
  if string.match(owned[i + 1], '^%d+ (.+)$') == consumer then redis.call('HSET', KEYS[1], owned[i], '0 -') end
end
redis.call('ZREM', KEYS[2], consumer)
-- The last one leaves nothing that others could miss.
if redis.call('EXISTS', KEYS[2]) == 0 then redis.call('DEL', KEYS[1]) end
for i = 3, #KEYS do
  local pending = redis.pcall('XPENDING', KEYS[i], group, '-', '+', 1, consumer)
  -- XGROUP DELCONSUMER forgets what is pending.
  if not pending.err and #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[i], group, consumer) end
end
