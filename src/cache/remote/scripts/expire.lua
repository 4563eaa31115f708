-- Makes entries stale, and ends the leases on them: what is being made for them may be older than this.
--
-- KEYS: entries. Replies 1 for each that there was, 0 for others.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local replies = {}
for i, key in ipairs(KEYS) do
  local head = redis.pcall('GETRANGE', key, 0, 67)
  if type(head) ~= 'string' or #head < 68 or string.sub(head, 1, 3) ~= 'RC\1' then
    replies[i] = 0
  elseif string.byte(head, 4) == 0 then
    redis.call('DEL', key)
    replies[i] = 0
  else
    redis.call('SETRANGE', key, 8, string.rep('\0', 16))
    if struct.unpack('<d', head, 33) > now then redis.call('SETRANGE', key, 32, struct.pack('<d', now)) end
    replies[i] = 1
  end
end
return replies
