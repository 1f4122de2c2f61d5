-- free-locks: deletes unique locks whose holders are no longer stored, except in a queue with groups: a Go server may
-- have aggregated the holder, whose lock must then last (Q-03) although nothing else of it is stored.
--
-- KEYS[1]   groups           set     names of groups with waiting tasks
-- KEYS[2]   aggregationSets  zset    full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[3..] locks            string  id of the task that holds the lock
-- ARGV[1]   taskPrefix       a task's key is this plus its id; built here, same hash slot
--
-- Reply     array of the positions (from 1) of the locks that were freed
-- Cost      O(n), n locks given
local groups, aggregationSets = KEYS[1], KEYS[2]
local taskPrefix = ARGV[1]

-- include: notices
-- include: lock-holder

if redis.call('EXISTS', groups, aggregationSets) > 0 then
  return {}
end
local freed = {}
for i = 3, #KEYS do
  local lock = KEYS[i]
  if isSound(lock, 'string') and not lockHolder(taskPrefix, lock) and redis.call('DEL', lock) == 1 then
    freed[#freed + 1] = i - 2
  end
end
return withNotices(freed)
