-- return-aggregation-set: returns the members of one aggregation set to their group before its deadline.
--
-- KEYS[1]  set              zset   task id -> time added to the group, epoch seconds
-- KEYS[2]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[3]  groups           set    names of groups with waiting tasks
-- ARGV[1]  groupPrefix      of groups (zset: task id -> time added, epoch seconds); the group's key is built here from
--                           the set's, same hash slot
--
-- Reply    RETURNED         the members are back in the group
--          MORE             1,000 of them are back: call again
--          GONE             there is no such set: it was finished, or returned before; nothing was written
-- Cost     O(log N), N members
local set, aggregationSets, groups = KEYS[1], KEYS[2], KEYS[3]
local groupPrefix = ARGV[1]
-- include: notices
-- include: return-set
-- include: write-when-full

local deadline = redis.call('ZSCORE', aggregationSets, set)
if not deadline or deadline == 'inf' then
  return 'GONE'
end
writeWhenFull(aggregationSets)
local became = returnSet({ aggregationSets = aggregationSets, groups = groups }, groupPrefix, set)
return withNotices(became == 'MORE' and became or 'RETURNED')
