-- reclaim-aggregation-sets: returns the members of sets past their deadline to their groups (P-100).
--
-- KEYS[1]  aggregationSets  zset   full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[2]  groups           set    names of groups with waiting tasks
-- ARGV[1]  groupPrefix      of groups and sets (zset: task id -> time added, epoch seconds); their keys are built
--                           here from the members of aggregationSets, same hash slot
-- ARGV[2]  now              epoch seconds, from the caller's clock
-- ARGV[3]  limit            how many sets at most
--
-- Reply    array: how many sets were dissolved; a word
--   MORE     others may be left: call again
--   DONE     no other was found, or none that can be dissolved
-- Cost     O(log N), N members of a set; up to 2,000 members are moved
local aggregationSets, groups = KEYS[1], KEYS[2]
local groupPrefix, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])

-- include: notices
-- include: return-set
-- include: write-when-full

if not isSound(aggregationSets, 'zset') then
  return withNotices({ 0, 'DONE' })
end
writeWhenFull(aggregationSets)
local dissolved, moved = 0, 0
for _, set in ipairs(redis.call('ZRANGEBYSCORE', aggregationSets, '-inf', now, 'LIMIT', 0, limit)) do
  local became, count = returnSet({ aggregationSets = aggregationSets, groups = groups }, groupPrefix, set)
  dissolved, moved = dissolved + (became == 'GONE' and 1 or 0), moved + count
  if became == 'MORE' or moved >= 1000 then
    return withNotices({ dissolved, 'MORE' })
  end
end
return withNotices({ dissolved, 'DONE' })
