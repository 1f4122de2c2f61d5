-- reclaim-aggregation-sets: returns the members of sets past their deadline to their groups (spec/01 §5.19).
--
-- KEYS[1]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[2]  groups           set    names of groups with waiting tasks
-- ARGV[1]  groupPrefix      of groups and sets (zset: task id -> time added, epoch seconds); their keys are built
--                           here from the members of aggregationSets and share the queue's slot
-- ARGV[2]  now              epoch seconds, from the caller's clock
-- ARGV[3]  limit            how many sets at most
--
-- Reply    how many sets were dissolved
-- Cost     O(N log N) for N members of each set
local aggregationSets, groups = KEYS[1], KEYS[2]
local groupPrefix, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- include: return-set

local sets = redis.call('ZRANGEBYSCORE', aggregationSets, '-inf', now, 'LIMIT', 0, limit)
for i = 1, #sets do
  returnSet({ aggregationSets = aggregationSets, groups = groups }, groupPrefix, sets[i])
end
return #sets
