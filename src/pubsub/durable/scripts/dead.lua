-- An entry goes to the dead letters, and is acknowledged. The entry is read here: an oversized one need not travel twice.
-- KEYS: stream, retries, dead letters. ARGV: group, entry, partition, reason, error, attempts, most bytes of an event, most dead letters.
-- Reply: 1, or 0 where it was handled already.
local stream, group, id = KEYS[1], ARGV[1], ARGV[2]
if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then return 0 end
local entry = redis.call('XRANGE', stream, id, id)[1]
if entry then
  local raw
  for i = 1, #entry[2], 2 do
    if entry[2][i] == 'e' then raw = entry[2][i + 1] end
  end
  -- Not written by an event bus.
  raw = raw or cjson.encode(entry[2])
  local letter = { 'e', string.sub(raw, 1, ARGV[7]), 'g', group, 'reason', ARGV[4], 'error', ARGV[5] }
  for _, value in ipairs({ 'attempts', ARGV[6], 'entry', id, 'p', ARGV[3] }) do letter[#letter + 1] = value end
  if #raw > tonumber(ARGV[7]) then
    letter[#letter + 1] = 'cut'
    letter[#letter + 1] = 1
  end
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[8], '*', unpack(letter))
end
redis.call('XACK', stream, group, id)
redis.call('HDEL', KEYS[2], id)
return 1
