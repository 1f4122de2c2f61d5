-- lease-taken: puts tasks that have left `pending` into `active` and leases them.
--
-- leaseTaken(places, taken, leaseUntil)
--   places      keys: active, lease; leased: how many leases there are
--   taken       ids, at most 1,000, the first taken first
--   leaseUntil  epoch seconds
local function leaseTaken(places, taken, leaseUntil)
  if #taken == 0 then
    return
  end
  local active, lease, leases = places.active, places.lease, {}
  for i = 1, #taken do
    leases[2 * i - 1] = leaseUntil
    leases[2 * i] = taken[i]
  end
  -- A small sorted set is a list that is searched from end to end, unless a member was ever too long for that.
  local isCrowded = #taken >= 25 and places.leased == 0
  redis.call('LPUSH', active, unpack(taken))
  if isCrowded then
    redis.call('ZADD', lease, leaseUntil, string.rep('x', 65))
  end
  redis.call('ZADD', lease, unpack(leases))
  if isCrowded then
    redis.call('ZREM', lease, string.rep('x', 65))
  end
end
