-- Moves cents from one account to another. A script runs alone: nothing can happen between its lines.
--
-- KEYS[1]  account that pays
-- KEYS[2]  account that receives
-- ARGV[1]  amount in cents, a positive integer
--
-- Returns { 'done', balance of KEYS[1], balance of KEYS[2] }, { 'unknown', 'from' or 'to' }, or { 'insufficient' }.

-- Both balances, each a string, or false where there is no such account.
local balances = redis.call('MGET', KEYS[1], KEYS[2])

-- All checks stand before the first write: what a script has written is not taken back if it fails later.
if not balances[1] then
  return { 'unknown', 'from' }
end
-- Without this, INCRBY would open the account.
if not balances[2] then
  return { 'unknown', 'to' }
end
-- As numbers: as strings, '9' is greater than '10'.
if tonumber(balances[1]) < tonumber(ARGV[1]) then
  return { 'insufficient' }
end

-- The amount is passed on as it came, so that Redis counts with 64-bit integers and not with the doubles of Lua.
local from = redis.call('DECRBY', KEYS[1], ARGV[1])
local to = redis.call('INCRBY', KEYS[2], ARGV[1])
return { 'done', from, to }
