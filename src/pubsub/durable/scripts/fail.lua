-- Notes of an attempt which it is, and when the next is due by the server's time: where it has failed, after the delay; 0 while it runs.
-- KEYS: stream, retries. ARGV: group, entry, attempt, delay in ms, '' where it runs.
-- Of what is handled meanwhile, by another owner say, nobody would remove the note.
if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return end
local due = '0'
if ARGV[4] ~= '' then
  local time = redis.call('TIME')
  due = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4])
end
-- Where memory is full, a script may go on once it has begun to write.
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ':' .. due)
