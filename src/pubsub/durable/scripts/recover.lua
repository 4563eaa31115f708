-- The owner of a partition takes over what was delivered to a group and not acknowledged: by those before it, or to itself, where the
-- reply was lost.
-- KEYS: stream, retries, members. ARGV: group, consumer, for how long it must have been pending in ms, first id, how many.
-- Reply: the server's time; how many were trimmed away before they were handled; the last id that was looked at, '' where that is all; and of
-- each entry its id, its fields, what is noted of its attempts, and 1 where it was this consumer's.
local MOST_BYTES = 4 * 1024 * 1024
local stream, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local pending = redis.call('XPENDING', stream, group, 'IDLE', ARGV[3], ARGV[4], '+', ARGV[5])
local entries, claimed, trimmed, bytes, last = {}, {}, 0, 0, ''
for _, item in ipairs(pending) do
  local id, owner = item[1], item[2]
  local entry = redis.call('XRANGE', stream, id, id)[1]
  if entry then
    local note = redis.call('HGET', KEYS[2], id) or ''
    entries[#entries + 1] = { id, entry[2], note, owner == consumer and 1 or 0 }
    if owner ~= consumer then claimed[#claimed + 1] = id end
    for _, part in ipairs(entry[2]) do bytes = bytes + #part end
  else
    trimmed = trimmed + redis.call('XACK', stream, group, id)
    redis.call('HDEL', KEYS[2], id)
  end
  -- Large ones come in smaller pages.
  if bytes > MOST_BYTES then
    last = id
    break
  end
end
if #claimed > 0 then
  claimed[#claimed + 1] = 'JUSTID'
  redis.call('XCLAIM', stream, group, consumer, 0, unpack(claimed))
end
if last == '' and #pending == tonumber(ARGV[5]) then last = pending[#pending][1] end
if last == '' then
  -- Names of consumers that are gone, and have nothing left.
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
    local fields = {}
    for i = 1, #info, 2 do fields[info[i]] = info[i + 1] end
    if fields.pending == 0 and fields.name ~= consumer and not redis.call('ZSCORE', KEYS[3], fields.name) then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, fields.name)
    end
  end
end
return { now, trimmed, last, entries }
