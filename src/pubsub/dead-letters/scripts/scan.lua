-- KEYS: dead letters. ARGV: after which entry ('' for the first), the last entry, how many to look at, 'any' group or the one that is
-- 'named', its name ('' for broadcast), reason ('' for any), whether the whole 'letters' are wanted or their 'ids'.
-- Replies with the last entry that was looked at, '' where there are no more, and what was found. Letters that are not wanted stay here.
local start = ARGV[1] == '' and '-' or '(' .. ARGV[1]
local entries = redis.call('XRANGE', KEYS[1], start, ARGV[2], 'COUNT', ARGV[3])

local function is_wanted(list)
  local group, reason = '', ''
  for index = 1, #list, 2 do
    if list[index] == 'g' then group = list[index + 1] end
    if list[index] == 'reason' then reason = list[index + 1] end
  end
  return (ARGV[4] == 'any' or group == ARGV[5]) and (ARGV[6] == '' or reason == ARGV[6])
end

local found = {}
for _, entry in ipairs(entries) do
  if is_wanted(entry[2]) then found[#found + 1] = ARGV[7] == 'ids' and entry[1] or entry end
end
local last = entries[tonumber(ARGV[3])]
return { last and last[1] or '', found }
