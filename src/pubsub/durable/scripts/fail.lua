-- Notes of an attempt which it is, and when the next is due by the server's time: where it has failed, after the delay; 0 while it runs.
-- KEYS: retries. ARGV: entry, attempt, delay in ms, '' where it runs.
local due = '0'
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  due = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3])
end
-- Where memory is full, a script may go on once it has begun to write.
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ':' .. due)
