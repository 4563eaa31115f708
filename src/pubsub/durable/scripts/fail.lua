-- An attempt has failed: notes which it was, and when the next is due by the server's time.
-- KEYS: retries. ARGV: entry, attempt, delay in ms.
local time = redis.call('TIME')
local due = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. string.format('%.0f', due))
