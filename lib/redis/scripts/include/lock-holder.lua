-- lock-holder: who holds a unique lock.
--
-- lockHolder(taskPrefix, lock)
--   lock    full key, a string or nothing
-- Returns a task id; nil or false when nobody holds the lock, or one whose task is not stored any more (deleted by hand,
-- evicted). The members of an aggregation set are not stored either, but hold their locks on: see finish-aggregation.
local function lockHolder(taskPrefix, lock)
  local holder = redis.call('GET', lock)
  local aggregated = holder and string.match(holder, '^aggregated:(.*)$')
  if aggregated or not holder then
    return aggregated
  end
  return redis.pcall('HEXISTS', taskPrefix .. holder, 'msg') ~= 0 and holder
end
