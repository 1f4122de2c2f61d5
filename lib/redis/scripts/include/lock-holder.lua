-- lock-holder: finds the holder of a unique lock.
--
-- lockHolder(taskPrefix, lock)
--   lock    full key, a string or nothing
-- Returns a task id; nil or false when nobody holds the lock or the holder is no longer stored (deleted by hand,
-- evicted). The members of a finished aggregation set are not stored either, but still hold their locks; see keep-locks.
local function lockHolder(taskPrefix, lock)
  local holder = redis.call('GET', lock)
  local aggregated = holder and string.match(holder, '^aggregated:(.*)$')
  if aggregated or not holder then
    return aggregated
  end
  return redis.pcall('HEXISTS', taskPrefix .. holder, 'msg') ~= 0 and holder
end
