-- KEYS: the topic's streams. ARGV: how many entries are counted for a group where the server does not know how many wait. Changes nothing.
-- Replies with the server's time in ms, and of each group its name, how many wait, how many are pending, and the oldest of those, or ''.
local most = tonumber(ARGV[1])
local PAGE = 100
local time = redis.call('TIME')

local function pairs_of(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end

local function count_after(stream, id, budget)
  local count = 0
  while count < budget do
    local entries = redis.call('XRANGE', stream, '(' .. id, '+', 'COUNT', math.min(PAGE, budget - count))
    count = count + #entries
    if #entries < PAGE then break end
    id = entries[#entries][1]
  end
  return count
end

-- Servers before 7.0 do not know it, later ones not always. What was cut off before it was delivered is not in the stream.
local function lag_of(stream, group, length, budget)
  if group.lag then return math.min(group.lag, length) end
  if group['last-delivered-id'] == '0-0' then return length end
  return count_after(stream, group['last-delivered-id'], budget)
end

-- Milliseconds.
local function moment(id)
  return tonumber(string.match(id, '^%d+'))
end

local groups, names = {}, {}
for _, stream in ipairs(KEYS) do
  local length = redis.call('XLEN', stream)
  local infos = redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'GROUPS', stream) or {}
  for _, info in ipairs(infos) do
    local found = pairs_of(info)
    local group = groups[found.name]
    if not group then
      group = { lag = 0, pending = 0, oldest = '' }
      groups[found.name] = group
      names[#names + 1] = found.name
    end
    group.lag = group.lag + lag_of(stream, found, length, math.max(0, most - group.lag))
    group.pending = group.pending + found.pending
    if found.pending > 0 then
      local oldest = redis.call('XPENDING', stream, found.name)[2]
      if group.oldest == '' or moment(oldest) < moment(group.oldest) then group.oldest = oldest end
    end
  end
end

table.sort(names)
local reply = { string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)) }
for _, name in ipairs(names) do
  local group = groups[name]
  reply[#reply + 1] = { name, group.lag, group.pending, group.oldest }
end
return reply
