-- Makes entries stale, for as long as they may be, and ends the leases on them: what is being made for them may be older than this. What
-- may not be stale is removed.
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
    local freshUntil, staleUntil = struct.unpack('<dd', head, 33)
    local left = math.min(staleUntil - freshUntil, staleUntil - now)
    if left <= 0 then
      redis.call('DEL', key)
    else
      redis.call('SETRANGE', key, 8, string.rep('\0', 16))
      if freshUntil > now then
        -- Never fresh, whatever the readers' clocks say.
        redis.call('SETRANGE', key, 32, struct.pack('<dd', 0, now + left))
        redis.call('PEXPIRE', key, math.ceil(left))
      end
    end
    replies[i] = 1
  end
end
return replies
