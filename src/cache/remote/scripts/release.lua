-- Gives leases back without a value, so that who waits need not wait until they are over.
--
-- KEYS: entries. ARGV for each key: the token, and '' for a value that somebody else shall make; else its factory has run to no use. Then a
-- record without a value stays for a moment that tells when, so that those which have waited for it do not wait for each other, one after
-- the other, too. It takes the place of no value that there is, but of one with this time of birth.
--
-- Replies 1 for each lease that was held, 0 for others.
local STAYS = 1000
local time = redis.call('TIME')
local failedAt = struct.pack('<d', time[1] * 1000 + time[2] / 1000)
local failure = 'RC\1' .. string.rep('\0', 21) .. failedAt .. string.rep('\0', 36)
local replies = {}
for i, key in ipairs(KEYS) do
  local token, failed = ARGV[2 * i - 1], ARGV[2 * i]
  local head = redis.pcall('GETRANGE', key, 0, 67)
  if type(head) == 'string' and string.sub(head, 9, 16) == token then
    local hasValue = string.byte(head, 4) ~= 0
    if hasValue and (failed == '' or struct.unpack('<d', head, 25) ~= tonumber(failed)) then
      redis.call('SETRANGE', key, 8, string.rep('\0', 16))
    else
      redis.call('DEL', key)
      if failed ~= '' then redis.call('SET', key, failure, 'PX', STAYS) end
    end
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
