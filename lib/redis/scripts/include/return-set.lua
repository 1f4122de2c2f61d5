-- return-set: gives the members of an aggregation set back to their group, with the times at which they joined it.
--
-- returnSet(places, groupPrefix, set)
--   places       keys: aggregationSets, groups
--   groupPrefix  of groups and sets (zset: task id -> time added, epoch seconds)
--   set          full key of the set
local function returnSet(places, groupPrefix, set)
  -- A set's id has no colon, a group's name may have some. A foreign member could name any key: it is only dropped.
  local group = string.match(set, '^(.*):[^:]*$')
  if group and string.sub(group, 1, #groupPrefix) == groupPrefix and redis.call('EXISTS', set) == 1 then
    redis.call('ZUNIONSTORE', group, 2, group, set, 'AGGREGATE', 'MIN')
    redis.call('DEL', set)
    -- Nobody looks at a group that is not listed (spec/01 Q-11).
    redis.call('SADD', places.groups, string.sub(group, #groupPrefix + 1))
  end
  redis.call('ZREM', places.aggregationSets, set)
end
