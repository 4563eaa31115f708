-- Gives a process the right to make a value. The lease stands in the record of the entry itself (or in a record without a value), so
-- that whatever removes or replaces the entry, by whomever, ends the lease in the same stroke.
--
-- KEYS: entries. ARGV[1]: the lease in milliseconds. Then for each key: the token of who asks, and what it knows of the entry: '' that
-- there is none, 'any' that it does not matter, or the time of birth of the one that is no longer good enough.
--
-- Replies the server's time in microseconds, then for each key: 0 granted, -1 there is a newer fresh entry, or for how many milliseconds
-- another process holds the lease.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
local replies = { time[1] * 1000000 + time[2] }

local function read(key)
  -- A key of another data type is no entry: SET replaces it.
  local head = redis.pcall('GETRANGE', key, 0, 67)
  if type(head) ~= 'string' or #head < 68 or string.sub(head, 1, 3) ~= 'RC\1' then return nil end
  return {
    hasValue = string.byte(head, 4) ~= 0,
    leaseUntil = struct.unpack('<d', head, 17),
    born = struct.unpack('<d', head, 25),
    freshUntil = struct.unpack('<d', head, 33),
  }
end

local function grant(key, entry, token)
  local holder = token .. struct.pack('<d', now + lease)
  if entry and entry.hasValue then
    redis.call('SETRANGE', key, 8, holder)
    if redis.call('PTTL', key) < lease then redis.call('PEXPIRE', key, lease) end
  else
    redis.call('SET', key, 'RC\1' .. string.rep('\0', 5) .. holder .. string.rep('\0', 44), 'PX', lease)
  end
end

for i, key in ipairs(KEYS) do
  local token, known = ARGV[2 * i], ARGV[2 * i + 1]
  local entry = read(key)
  if known == 'any' or not entry then
    grant(key, entry, token)
    replies[i + 1] = 0
  elseif entry.hasValue and entry.freshUntil > now and entry.born ~= tonumber(known) then
    replies[i + 1] = -1
  elseif entry.leaseUntil > now then
    replies[i + 1] = math.ceil(entry.leaseUntil - now)
  else
    grant(key, entry, token)
    replies[i + 1] = 0
  end
end
return replies
