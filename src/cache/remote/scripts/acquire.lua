-- Gives a process the right to make a value. The lease stands in the record of the entry itself (or in a record without a value), so
-- that whatever removes or replaces the entry, by whomever, ends the lease in the same stroke.
--
-- KEYS: entries. ARGV[1]: the lease in milliseconds. Then for each key: the token of who asks, what it knows of the entry ('' that
-- there is none, 'any' that it does not matter, or the time of birth of the one that is no longer good enough), and since when it has
-- waited for another ('' where it has not).
--
-- Replies the server's time in microseconds, then for each key: 0 granted, -1 there is a newer fresh entry, -2 another holds the lease,
-- but who asks has waited for one before that came to nothing, or for how many milliseconds another process holds the lease.
--
-- In a record without a value, the time of birth is when a run came to nothing (see release.lua): it is handed on to the next lease.
local call, pcall = redis.call, redis.pcall
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[1])
local leaseUntil = struct.pack('<d', now + lease)
-- What stands before and after the token in a record without a value.
local never, rest = string.rep('\0', 8), string.rep('\0', 36)
local before, after = 'RC\1' .. string.rep('\0', 5), leaseUntil .. never .. rest
local replies = { time[1] * 1000000 + time[2] }

for i = 1, #KEYS do
  local key, token, known, since = KEYS[i], ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
  local reply = 0
  -- Where there was nothing there mostly still is nothing: then one command is enough.
  if known ~= '' or not call('SET', key, before .. token .. after, 'PX', lease, 'NX') then
    local head = pcall('GETRANGE', key, 0, 67)
    if type(head) ~= 'string' or #head < 68 or string.sub(head, 1, 3) ~= 'RC\1' then
      -- No entry, or a key of another data type: SET replaces it.
      call('SET', key, before .. token .. after, 'PX', lease)
    else
      local heldUntil, born, freshUntil, staleUntil = struct.unpack('<dddd', head, 17)
      local hasValue = string.byte(head, 4) ~= 0
      if known ~= 'any' and hasValue and freshUntil > now and born ~= tonumber(known) then
        reply = -1
      elseif known ~= 'any' and heldUntil > now then
        reply = math.ceil(heldUntil - now)
        if not hasValue and since ~= '' and born >= tonumber(since) then reply = -2 end
      elseif hasValue then
        call('SETRANGE', key, 8, token .. leaseUntil)
        -- An entry is kept until it is past all use, which is mostly later than the lease.
        if staleUntil - now < lease and call('PTTL', key) < lease then call('PEXPIRE', key, lease) end
      else
        call('SET', key, before .. token .. leaseUntil .. string.sub(head, 25, 32) .. rest, 'PX', lease)
      end
    end
  end
  replies[i + 1] = reply
end
return replies
