-- Makes sure that stamps are there, and are kept for as long as the entries that will depend on them.
--
-- KEYS: stamps. ARGV for each key: for how many milliseconds it will be needed, and a number that one that is made has to be higher than.
-- Replies for each: the stamp, how long it is kept (milliseconds), and 1 where it was made now.
local time = redis.call('TIME')
local replies = {}
for i, key in ipairs(KEYS) do
  local needed = tonumber(ARGV[2 * i - 1])
  local stamp = redis.pcall('GET', key)
  local kept = 2 * needed
  local made = 0
  -- What is no stamp, or of another data type, gives way to one.
  if type(stamp) ~= 'string' or not string.find(stamp, '^%d+$') then
    -- Microseconds have 16 digits, of which Lua's own conversion to text would keep 14.
    stamp = string.format('%.0f', math.max(time[1] * 1000000 + time[2], tonumber(ARGV[2 * i]) + 1))
    redis.call('SET', key, stamp, 'PX', kept)
    made = 1
  else
    local left = redis.call('PTTL', key)
    -- For twice as long as needed: each change of it is told to all processes.
    if left < needed then redis.call('PEXPIRE', key, kept) else kept = left end
  end
  replies[i] = { stamp, kept, made }
end
return replies
