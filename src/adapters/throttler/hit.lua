-- KEYS: the hits of one client at one throttler, a list of the moments at which each ceases to count, the oldest first. While the client is
--   blocked, it has two elements: the moment at which the block ends, as a negative number, and how many hits there were. Moments are
--   milliseconds of this server's clock.
-- ARGV: ttl, limit, block duration (0: none); milliseconds.
-- Replies how many hits there are, with this one, and in how many milliseconds the oldest ceases to count. Where this one is refused, that is a
--   negative number, after which the next one is not.
local key, ttl, limit, block = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local page = redis.call('LRANGE', key, 0, 1)
local oldest = tonumber(page[1])
if page[1] and not oldest then return redis.error_reply('WRONGTYPE the list holds something else than hits') end

if oldest and oldest < 0 then
  -- What is refused is not written: whoever is blocked, and goes on, costs little.
  if now + oldest < 0 then return { tonumber(page[2]), now + oldest } end
  redis.call('DEL', key)
  oldest = nil
end

-- In pages: of many that have ceased to count at once, all go.
while oldest and oldest <= now do
  local gone = 1
  while page[gone + 1] and tonumber(page[gone + 1]) <= now do gone = gone + 1 end
  redis.call('LTRIM', key, gone, -1)
  if not page[gone + 1] then
    page, gone = redis.call('LRANGE', key, 0, 99), 0
  end
  oldest = tonumber(page[gone + 1])
end

local hits = oldest and redis.call('LLEN', key) + 1 or 1
if hits > limit then
  if block <= 0 then return { hits, oldest and now - oldest or -ttl } end
  redis.call('DEL', key)
  redis.call('RPUSH', key, -now - block, hits)
  redis.call('PEXPIRE', key, block)
  return { hits, -block }
end

redis.call('RPUSH', key, now + ttl)
-- For longer than its hits count, so that not each of them is a second write. Never for shorter than one before: its ttl may have been longer.
if not oldest or redis.call('PTTL', key) < ttl then redis.call('PEXPIRE', key, ttl + math.ceil(ttl / 8)) end
return { hits, (oldest or now + ttl) - now }
