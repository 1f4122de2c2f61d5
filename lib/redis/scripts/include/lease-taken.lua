-- lease-taken: puts tasks that have left `pending` into `active` and leases them.
--
-- leaseTaken(taskIds, leaseUntil)
--   KEYS[3], KEYS[4]  active, lease
--   taskIds           1 to 1,000, the first taken first
--   leaseUntil        epoch seconds
-- Returns true, or false and changes nothing if one of the keys has a wrong type.
local function leaseTaken(taskIds, leaseUntil)
  local pcall, active, lease, count, leases = redis.pcall, KEYS[3], KEYS[4], #taskIds, {}
  for i = 1, count do
    leases[2 * i - 1], leases[2 * i] = leaseUntil, taskIds[i]
  end
  if type(pcall('LPUSH', active, unpack(taskIds))) ~= 'number' then
    return false
  end
  -- Redis stores a small sorted set as a list and searches it from end to end, unless a member was ever too long.
  local isCrowded = count >= 25 and pcall('ZCARD', lease) == 0
  if isCrowded then
    pcall('ZADD', lease, leaseUntil, string.rep('x', 65))
  end
  local isLeased = type(pcall('ZADD', lease, unpack(leases))) == 'number'
  if isCrowded then
    pcall('ZREM', lease, string.rep('x', 65))
  end
  if not isLeased then
    pcall('LTRIM', active, count, -1)
  end
  return isLeased
end
