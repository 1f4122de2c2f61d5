-- return-aggregation-set: gives the members of one aggregation set back to their group before its time is over.
--
-- KEYS[1]  set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[3]  groups           set    names of groups with waiting tasks
-- ARGV[1]  groupPrefix      of groups (zset: task id -> time added, epoch seconds); the group's key is built here from
--                           the set's and shares the queue's slot
--
-- Reply    RETURNED         the group has its members back
--          GONE             there is no such set: it was aggregated, or went back before; nothing was written
-- Cost     O(N log N), N members
local set, aggregationSets, groups = KEYS[1], KEYS[2], KEYS[3]
local groupPrefix = ARGV[1]
-- include: return-set

if not redis.call('ZSCORE', aggregationSets, set) then
  return 'GONE'
end
returnSet({ aggregationSets = aggregationSets, groups = groups }, groupPrefix, set)
return 'RETURNED'
