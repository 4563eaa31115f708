-- What each script of a lock begins with. A resource has three keys, in one slot:
--
--   state    hash: 'fence' -> the last fence that was given out; token -> 'until fence weight capacity' of each holder;
--            of a semaphore also 'limit' -> 'permits until'
--   queue    sorted set: the tokens of those who wait, by when they arrived
--   waiters  hash: token -> 'until weight capacity term' of those who wait
--
-- Holders fit in as long as their weights together are no more than the capacity: of a lock it is 1, of a semaphore the number of
-- permits; a writer weighs as much as all readers that there can be. Moments are microseconds of the server's clock.

-- How long, in milliseconds, the last fence is remembered: by then the clock has passed it, also one that was set back.
local RETENTION = 3600000

-- The key's life is set anew once in so many microseconds, not at each grant.
local RETENTION_SET = 1800000000

local function microseconds()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

-- Numbers of this size would be written as 1.7e+15.
local function whole(number)
  return string.format('%.0f', number)
end

local function retain(state, before, now, ttl)
  if ttl * 1000 > RETENTION_SET or math.floor(before / RETENTION_SET) ~= math.floor(now / RETENTION_SET) then
    redis.call('PEXPIRE', state, whole(RETENTION + ttl))
  end
end

-- Makes the token a holder for ttl milliseconds. Where the last fence is lost, the clock has passed it.
local function grant(state, last, now, token, ttl, share)
  local fence = last + 1
  if now > fence then fence = now end
  local text = whole(fence)
  redis.call('HSET', state, 'fence', text, token, whole(now + ttl * 1000) .. ' ' .. text .. ' ' .. share)
  retain(state, last, now, ttl)
  return fence
end
